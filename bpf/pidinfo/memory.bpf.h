/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* memory.bpf.h - sizes of a process image, and how it is scheduled. */
#ifndef FDMAP_PIDINFO_MEMORY_BPF_H
#define FDMAP_PIDINFO_MEMORY_BPF_H

#include "slot.bpf.h"
#include "../compat.bpf.h"

/* percpu_counter_read_positive(): without what is not yet in it, a counter may be below 0. */
#define COUNTER(mm, i)                                                            \
	({                                                                        \
		__s64 n = (mm)->rss_stat[i].count;                                \
		n > 0 ? n : 0;                                                    \
	})

static __always_inline void add_memory(struct slot *slot, struct task_struct___status *task)
{
	struct pidinfo_memory *out = GROUP(slot, memory, PIDINFO_MEMORY);
	struct mm_struct___status *mm = task->mm;
	struct mm_rss_stat *old = NULL;
	__u64 file, anon, shmem;

	if (!out)
		return;
	out->pad = 0;
	out->vsize = 0;
	out->rss = 0;
	out->shared = 0;
	if (!mm)
		return;
	if (bpf_core_field_exists(old->count)) {
		struct mm_struct___v6_1 *mm6_1 = (void *)mm;
		__s64 counts[NR_MM_COUNTERS] = {};

		bpf_core_read(counts, sizeof(counts), &mm6_1->rss_stat);
		file = counts[MM_FILEPAGES] > 0 ? counts[MM_FILEPAGES] : 0;
		anon = counts[MM_ANONPAGES] > 0 ? counts[MM_ANONPAGES] : 0;
		shmem = counts[MM_SHMEMPAGES] > 0 ? counts[MM_SHMEMPAGES] : 0;
	} else {
		file = COUNTER(mm, MM_FILEPAGES);
		anon = COUNTER(mm, MM_ANONPAGES);
		shmem = COUNTER(mm, MM_SHMEMPAGES);
	}
	out->vsize = mm->total_vm * config.page_size;
	out->rss = (file + anon + shmem) * config.page_size;
	out->shared = (file + shmem) * config.page_size;
}

static __always_inline void add_sched(struct slot *slot, struct task_struct___status *task)
{
	struct pidinfo_sched *out = GROUP(slot, sched, PIDINFO_SCHED);
	struct signal_struct___status *signal = task->signal;

	if (!out)
		return;
	out->priority = task->prio - MAX_RT_PRIO;
	out->nice = task->static_prio - DEFAULT_PRIO;
	out->policy = task->policy;
	out->cpu = task->thread_info.cpu;
	out->oom_score_adj = signal->oom_score_adj;
	out->pad[0] = 0;
	out->pad[1] = 0;
}

#endif
