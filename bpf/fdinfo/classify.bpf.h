/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * classify.bpf.h - what kind of descriptor it is. By the file system that the
 * inode lives on, then by its mode: an anonymous inode has the name that the
 * kernel gave it, and on that file system nobody else gives any.
 */
#ifndef FDMAP_CLASSIFY_BPF_H
#define FDMAP_CLASSIFY_BPF_H

#include "subject.bpf.h"

/* The first eight bytes, which no two of them share, as a number. */
#define WORD(a, b, c, d, e, f, g, h)                                                              \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | \
	 (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

static __always_inline __u32 anonymous_type(__u64 word)
{
	switch (word) {
	case WORD('[', 'e', 'v', 'e', 'n', 't', 'f', 'd'):
		return FDINFO_EVENTFD;
	case WORD('[', 'e', 'v', 'e', 'n', 't', 'p', 'o'):
		return FDINFO_EPOLL;
	case WORD('[', 't', 'i', 'm', 'e', 'r', 'f', 'd'):
		return FDINFO_TIMERFD;
	case WORD('[', 's', 'i', 'g', 'n', 'a', 'l', 'f'):
		return FDINFO_SIGNALFD;
	case WORD('i', 'n', 'o', 't', 'i', 'f', 'y', 0):
		return FDINFO_INOTIFY;
	case WORD('[', 'f', 'a', 'n', 'o', 't', 'i', 'f'):
		return FDINFO_FANOTIFY;
	case WORD('[', 'p', 'i', 'd', 'f', 'd', ']', 0):
		return FDINFO_PIDFD;
	case WORD('b', 'p', 'f', '-', 'm', 'a', 'p', 0):
		return FDINFO_BPF_MAP;
	case WORD('b', 'p', 'f', '-', 'p', 'r', 'o', 'g'):
		return FDINFO_BPF_PROG;
	case WORD('b', 'p', 'f', '_', 'l', 'i', 'n', 'k'):
		return FDINFO_BPF_LINK;
	case WORD('[', 'i', 'o', '_', 'u', 'r', 'i', 'n'):
		return FDINFO_IO_URING;
	case WORD('[', 'u', 's', 'e', 'r', 'f', 'a', 'u'):
		return FDINFO_USERFAULTFD;
	case WORD('[', 'p', 'e', 'r', 'f', '_', 'e', 'v'):
		return FDINFO_PERF;
	case WORD('[', 'l', 'a', 'n', 'd', 'l', 'o', 'c'):
		return FDINFO_LANDLOCK;
	}
	return FDINFO_ANON;
}

static __always_inline __u32 type_of_mode(__u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return FDINFO_FILE;
	case S_IFDIR:
		return FDINFO_DIR;
	case S_IFLNK:
		return FDINFO_SYMLINK;
	case S_IFBLK:
		return FDINFO_BLOCK;
	case S_IFCHR:
		return FDINFO_CHAR;
	case S_IFIFO:
		return FDINFO_FIFO;
	case S_IFSOCK:
		return FDINFO_SOCKET;
	}
	return FDINFO_UNKNOWN;
}

/*
 * A memfd is a file without a directory on the kernel's own mount of tmpfs or
 * hugetlbfs (shmem_kernel_file_setup(), hugetlb_file_setup()); users can give
 * that name to files of other mounts only.
 */
static __noinline __u32 classify(struct subject *s, __u32 mount_flags)
{
	__u32 mode = s->record.mode;

	switch (s->magic) {
	case ANON_INODE_FS_MAGIC:
		return anonymous_type(*(__u64 *)s->name.bytes);
	case PIDFS_MAGIC:
		return FDINFO_PIDFD;
	case NSFS_MAGIC:
		return FDINFO_NAMESPACE;
	case PIPEFS_MAGIC:
		return FDINFO_PIPE;
	case MQUEUE_MAGIC:
		return (mode & S_IFMT) == S_IFREG ? FDINFO_MQUEUE : type_of_mode(mode);
	case DMA_BUF_MAGIC:
	case SECRETMEM_MAGIC:
		return FDINFO_ANON;
	case TMPFS_MAGIC:
	case HUGETLBFS_MAGIC:
		if (mount_flags & MNT_INTERNAL && (*(__u64 *)s->name.bytes & MEMFD_PREFIX_MASK) == MEMFD_PREFIX)
			return FDINFO_MEMFD;
	}
	return type_of_mode(mode);
}

#endif
