/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* kinds.bpf.h - how many of the open descriptors are files, sockets, pipes, and anything else. */
#ifndef FDMAP_PIDINFO_KINDS_BPF_H
#define FDMAP_PIDINFO_KINDS_BPF_H

#include "slot.bpf.h"
#include "open.bpf.h"
#include "steps.bpf.h"
#include "../filesystems.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block___kinds {
	unsigned long s_magic;
};

struct inode___kinds {
	unsigned short i_mode;
	struct super_block___kinds *i_sb;
};

struct vfsmount___kinds {
	int mnt_flags;
};

struct qstr___kinds {
	const unsigned char *name;
};

struct dentry___kinds {
	struct qstr___kinds d_name;
};

#pragma clang attribute pop

enum { KIND_FILE, KIND_SOCKET, KIND_PIPE, KIND_OTHER };

/* classify() of fdinfo/classify.bpf.h, without telling those apart that are of one kind. */
static __always_inline __u32 kind_of_mode(__u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return KIND_SOCKET;
	case S_IFIFO:
		return KIND_PIPE;
	}
	return KIND_FILE;
}

static __always_inline bool is_memfd(struct file *file)
{
	struct vfsmount___kinds *mount = (void *)BPF_CORE_READ(file, f_path.mnt);
	struct dentry___kinds *dentry = (void *)BPF_CORE_READ(file, f_path.dentry);
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	char prefix[8] = {};

	if (!(BPF_CORE_READ(mount, mnt_flags) & MNT_INTERNAL))
		return false;
	/* as much as a name of any length has room for: d_iname, include/linux/dcache.h */
	bpf_probe_read_kernel(prefix, sizeof(prefix), name);
	return (*(__u64 *)prefix & MEMFD_PREFIX_MASK) == MEMFD_PREFIX;
}

static __always_inline __u32 kind_of(struct kinds *kinds, struct file *file)
{
	struct inode___kinds *inode = CAST(READ(file, f_inode), struct inode___kinds);
	struct super_block___kinds *sb = READ(inode, i_sb);
	__u32 mode = READ(inode, i_mode);

	if ((__u64)sb != kinds->sb) {
		kinds->magic = BPF_CORE_READ(sb, s_magic);
		kinds->sb = (__u64)sb;
	}
	switch (kinds->magic) {
	case ANON_INODE_FS_MAGIC:
	case PIDFS_MAGIC:
	case NSFS_MAGIC:
	case DMA_BUF_MAGIC:
	case SECRETMEM_MAGIC:
		return KIND_OTHER;
	case MQUEUE_MAGIC:
		return (mode & S_IFMT) == S_IFREG ? KIND_OTHER : kind_of_mode(mode);
	case TMPFS_MAGIC:
	case HUGETLBFS_MAGIC:
		if (is_memfd(file))
			return KIND_OTHER;
	}
	return kind_of_mode(mode);
}

struct counting_kinds {
	struct slot *slot;
};

/* One step for each bit that is set, and one for each word. */
static long count_kind(__u32 i, struct counting_kinds *counting)
{
	struct kinds *kinds = &counting->slot->kinds;
	struct file *file = NULL;
	__u64 word = kinds->word, lowest;

	if (!word) {
		if (!kinds->left)
			return 1;
		bpf_probe_read_kernel(&word, sizeof(word), (void *)kinds->words);
		kinds->word = word;
		kinds->words += sizeof(word);
		kinds->left--;
		kinds->base += 64;
		return 0;
	}
	lowest = word & -word;
	kinds->word = word ^ lowest;
	bpf_probe_read_kernel(&file, sizeof(file),
			      (void *)(kinds->files + (kinds->base - 64 + popcount(lowest - 1)) * sizeof(file)));
	/* a number that is reserved, and names nothing yet */
	if (file)
		kinds->count[kind_of(kinds, CAST(file, struct file)) & 3]++;
	return 0;
}

/*
 * Slots of a table beyond which nothing is told: fs.nr_open as it is by default. As many are 80 ms
 * within one RCU section, and nobody else's to spend.
 */
#define KINDS_MOST (1024 * 1024)

/* As count_open(): of a task that has left its table meanwhile, nothing. */
static __always_inline void add_kinds(struct slot *slot, struct task_struct *task)
{
	struct counting_kinds counting = { .slot = slot };
	struct pidinfo_kinds *out;
	struct table table = {};
	struct fdtable *fdt;
	bool has_table = table_of(task, &table);

	if (has_table && table.size > KINDS_MOST)
		return;
	out = GROUP(slot, kinds, PIDINFO_KINDS);
	if (!out)
		return;
	__builtin_memset(&slot->kinds, 0, sizeof(slot->kinds));
	if (has_table) {
		fdt = table.fdt;
		slot->kinds.words = (__u64)open_fds_of(&table);
		slot->kinds.files = (__u64)TABLE_READ(fdt, fd);
		slot->kinds.left = table.size / 64;
		bpf_loop(table.size + table.size / 64 + 1, count_kind, &counting, 0);
		if (TABLE_READ(task, files) != table.files)
			__builtin_memset(slot->kinds.count, 0, sizeof(slot->kinds.count));
	}
	out->files = slot->kinds.count[KIND_FILE];
	out->sockets = slot->kinds.count[KIND_SOCKET];
	out->pipes = slot->kinds.count[KIND_PIPE];
	out->other = slot->kinds.count[KIND_OTHER];
	out->pad = 0;
	slot->steps += STEPS_OF_TABLE(table.size) + 2 * (out->files + out->sockets + out->pipes + out->other);
	slot->kinds.words = 0;
	slot->kinds.files = 0;
	slot->kinds.sb = 0;
}

#endif
