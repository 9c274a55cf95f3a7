/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* files.bpf.h - how many descriptors are open, and how many may be. */
#ifndef FDMAP_PIDINFO_FILES_BPF_H
#define FDMAP_PIDINFO_FILES_BPF_H

#include "slot.bpf.h"
#include "open.bpf.h"
#include "steps.bpf.h"

static __always_inline void add_files(struct slot *slot, struct task_struct *task)
{
	struct pidinfo_files *out = GROUP(slot, files, PIDINFO_FILES);
	__u32 size;

	if (!out)
		return;
	out->count = count_open(task, &size);
	out->table = size;
	slot->steps += STEPS_OF_TABLE(size);
	out->pad = 0;
}

static __always_inline void add_limit(struct slot *slot, struct task_struct *task)
{
	struct task_struct___status *status = (void *)task;
	struct signal_struct___status *signal = status->signal;
	struct pidinfo_limit *out = GROUP(slot, limit, PIDINFO_LIMIT);

	if (!out)
		return;
	out->pad = 0;
	out->soft = signal->rlim[RLIMIT_NOFILE].rlim_cur;
	out->hard = signal->rlim[RLIMIT_NOFILE].rlim_max;
}

#endif
