/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* open.bpf.h - how many descriptors of a task are open. */
#ifndef FDMAP_PIDINFO_OPEN_BPF_H
#define FDMAP_PIDINFO_OPEN_BPF_H

#include "kernel.h"
#include "../table.bpf.h"

/* Words of the bitmap that are read at once: most tables have one to four. */
#define WORDS 4

struct counting {
	unsigned long *words;
	__u32 count;
	__u32 left;	/* words that are not read yet */
};

/* BPF has no instruction for it. */
static __always_inline __u32 popcount(__u64 v)
{
	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return v * 0x0101010101010101 >> 56;
}

static long count_words(__u32 i, struct counting *counting)
{
	__u64 words[WORDS] = {};
	__u32 n = counting->left < WORDS ? counting->left : WORDS;

	bpf_probe_read_kernel(words, n * 8, counting->words + i * WORDS);
	counting->left -= n;
	counting->count += popcount(words[0]) + popcount(words[1]) + popcount(words[2]) + popcount(words[3]);
	return 0;
}

/*
 * A table that grows meanwhile is freed after RCU only: the old one was right a
 * moment ago. A task that exits has none any more, and its pages may be another's.
 */
static __always_inline __u32 count_open(struct task_struct *task, __u32 *size)
{
	struct counting counting = {};
	struct table table = {};

	*size = 0;
	if (!table_of(task, &table))
		return 0;
	counting.words = open_fds_of(&table);
	counting.left = (table.size + 63) / 64;
	bpf_loop((counting.left + WORDS - 1) / WORDS, count_words, &counting, 0);
	if (TABLE_READ(task, files) != table.files)
		return 0;
	*size = table.size;
	return counting.count;
}

#endif
