/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* filesystems.h - by what an inode tells what kind of thing it is: its mode, and where it lives. */
#ifndef FDMAP_FILESYSTEMS_H
#define FDMAP_FILESYSTEMS_H

/* include/uapi/linux/stat.h, include/linux/mount.h, include/uapi/linux/magic.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define MNT_INTERNAL 0x4000
#define ANON_INODE_FS_MAGIC 0x09041934
#define PIDFS_MAGIC 0x50494446
#define NSFS_MAGIC 0x6e736673
#define PIPEFS_MAGIC 0x50495045
#define SOCKFS_MAGIC 0x534f434b
#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define MQUEUE_MAGIC 0x19800202
#define DMA_BUF_MAGIC 0x444d4142
#define SECRETMEM_MAGIC 0x5345434d

/*
 * The first six bytes of a memfd's name, "memfd:" as a number: a file without a directory on the
 * kernel's own mount of tmpfs or hugetlbfs.
 */
#define MEMFD_PREFIX 0x3a64666d656dULL
#define MEMFD_PREFIX_MASK 0xffffffffffffULL

#endif
