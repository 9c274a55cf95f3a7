// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The caller's own descriptors as fdmap-self.bpf.c has them, without those of regular
 * files, directories, links, block devices and sockets: what is left are anonymous
 * inodes, pipes and character devices. What cannot be read stays in the answer.
 */
#include "fdmap-self.bpf.h"
#include "compat.bpf.h"
#include "filesystems.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct super_block___special {
	unsigned long s_magic;
};

struct inode___special {
	unsigned short i_mode;
	struct super_block___special *i_sb;
};

struct file___special {
	struct inode___special *f_inode;
};
#pragma clang attribute pop

struct judged {
	struct file___special **files; /* of the window's first bit */
	struct super_block___special *ordinary;	/* one that is not that of anonymous inodes */
	__u64 *words;
};

static long judge(__u32 bit, struct judged *judged)
{
	struct super_block___special *sb;
	struct inode___special *inode;
	struct file___special *file = NULL;
	__u64 one = 1ULL << (bit & 63), *word = judged->words + (bit / 64 & (FDMAP_SMALL_ROOM - 1));
	__u32 type;

	if (!(*word & one))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), judged->files + bit);
	file = CAST(file, struct file___special);
	inode = CAST(READ(file, f_inode), struct inode___special);
	type = READ(inode, i_mode) & S_IFMT;
	if (type != S_IFREG && type != S_IFDIR && type != S_IFSOCK && type != S_IFLNK && type != S_IFBLK)
		return 0;
	/* Inside, anonymous inodes are regular files since 6.16 (cfd86ef7e8e7). */
	sb = READ(inode, i_sb);
	if (sb != judged->ordinary) {
		if (!sb || BPF_CORE_READ(sb, s_magic) == ANON_INODE_FS_MAGIC)
			return 0;
		judged->ordinary = sb;
	}
	*word &= ~one;
	return 0;
}

static __always_inline int fdmap_special(const struct fdmap_head *question, __u64 *words, const __u32 room,
					 struct window *window)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct judged judged = {};
	struct fdtable *fdt;
	struct table table;
	int error = fdmap_self(question, words, room, window);

	if (error || !window->words)
		return error;
	if (!table_of(task, &table))
		return -EAGAIN;
	fdt = table.fdt;
	judged.files = (void *)BPF_CORE_READ(fdt, fd);
	judged.files += window->base;
	judged.words = words;
	bpf_loop(FDMAP_SMALL_ROOM * 64, judge, &judged, 0);
	/* Another table: what was read may be anything. */
	if (table.size == window->size && table_unchanged(task, &table))
		return 0;
	window->words = 0;
	return -EAGAIN;
}

FDMAP_SMALL_PROGRAM(fdmap_special, fdmap_special)
