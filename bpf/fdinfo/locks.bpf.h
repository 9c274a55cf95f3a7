/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * locks.bpf.h - the locks that were taken through a descriptor: those that
 * __show_fd_locks() of fs/locks.c shows, by the same rule, without the lock of
 * the lists.
 */
#ifndef FDMAP_LOCKS_BPF_H
#define FDMAP_LOCKS_BPF_H

#include "write.bpf.h"

/* include/linux/filelock.h */
#define FL_POSIX 1
#define FL_FLOCK 2
#define FL_LEASE 32
#define FL_OFDLCK 1024

/* What has an inode of its own that fcntl(2), flock(2) or a lease can lock. */
#define LOCKABLE                                                                       \
	(1ULL << FDINFO_FILE | 1ULL << FDINFO_DIR | 1ULL << FDINFO_BLOCK | 1ULL << FDINFO_CHAR | \
	 1ULL << FDINFO_FIFO | 1ULL << FDINFO_MEMFD)

#define LOCKS 100		/* of one descriptor, out of as many of the file; one list's room */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file_lock_context {
	struct list_head flc_flock;
	struct list_head flc_posix;
	struct list_head flc_lease;
};

/* 6.9 moved what locks and leases share into a struct of its own (a69ce85ec9af). */
struct file_lock_core {
	struct list_head flc_list;
	void *flc_owner;
	unsigned int flc_flags;
	unsigned char flc_type;
	struct file *flc_file;
};

struct file_lock {
	struct file_lock_core c;
	long long fl_start;
	long long fl_end;
};

struct file_lock___v6_8 {
	struct list_head fl_list;
	void *fl_owner;
	unsigned int fl_flags;
	unsigned char fl_type;
	struct file *fl_file;
	long long fl_start;
	long long fl_end;
};

#pragma clang attribute pop

struct lock_walk {
	struct seq_file *seq;
	struct subject *s;
	struct list_head *at;
	struct list_head *end;
};

static long add_lock(__u32 i, struct lock_walk *walk)
{
	struct file_lock *lock = NULL;
	struct subject *s = walk->s;
	struct fdinfo_lock *element;
	__u64 owner = 0, file = 0;
	__u32 flags = 0, type = 0;
	long long start, end;

	if (!walk->at || walk->at == walk->end)
		return 1;
	if (bpf_core_field_exists(lock->c)) {
		lock = (void *)walk->at - bpf_core_field_offset(struct file_lock, c.flc_list);
		owner = (__u64)BPF_CORE_READ(lock, c.flc_owner);
		file = (__u64)BPF_CORE_READ(lock, c.flc_file);
		flags = BPF_CORE_READ(lock, c.flc_flags);
		type = BPF_CORE_READ(lock, c.flc_type);
		start = BPF_CORE_READ(lock, fl_start);
		end = BPF_CORE_READ(lock, fl_end);
	} else {
		struct file_lock___v6_8 *old = (void *)walk->at - bpf_core_field_offset(struct file_lock___v6_8, fl_list);

		owner = (__u64)BPF_CORE_READ(old, fl_owner);
		file = (__u64)BPF_CORE_READ(old, fl_file);
		flags = BPF_CORE_READ(old, fl_flags);
		type = BPF_CORE_READ(old, fl_type);
		start = BPF_CORE_READ(old, fl_start);
		end = BPF_CORE_READ(old, fl_end);
	}
	if (bpf_probe_read_kernel(&walk->at, sizeof(walk->at), walk->at))
		return 1;
	if (file != s->file || (owner != s->files && owner != s->file))
		return 0;
	element = next_element(walk->seq, s, sizeof(*element), LOCKS);
	if (!element)
		return 1;
	/* An OFD lock is a POSIX lock of an open file, and has both bits (fcntl_setlk() of fs/locks.c). */
	element->kind = flags & FL_OFDLCK ? FL_OFDLCK : flags & (FL_POSIX | FL_FLOCK | FL_LEASE);
	element->type = type;
	element->start = start;
	element->end = end;
	return 0;
}

static __noinline int walk_locks(struct lock_walk *walk, struct list_head *list)
{
	walk->end = list;
	if (!bpf_probe_read_kernel(&walk->at, sizeof(walk->at), list))
		bpf_loop(4 * LOCKS, add_lock, walk, 0);
	return 0;
}

static __noinline int read_locks(struct seq_file *seq, struct subject *s)
{
	struct inode *inode = (void *)s->inode;
	struct file_lock_context *context = BPF_CORE_READ(inode, i_flctx);
	struct lock_walk walk = { .seq = seq, .s = s };

	if (!context)
		return 0;
	begin_list(s, FDINFO_A_LOCKS);
	walk_locks(&walk, (void *)context + bpf_core_field_offset(struct file_lock_context, flc_posix));
	walk_locks(&walk, (void *)context + bpf_core_field_offset(struct file_lock_context, flc_flock));
	walk_locks(&walk, (void *)context + bpf_core_field_offset(struct file_lock_context, flc_lease));
	return 0;
}

#endif
