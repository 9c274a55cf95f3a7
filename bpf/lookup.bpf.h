/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * lookup.bpf.h - the task that a caller names, as find_task_by_vpid() of
 * kernel/pid.c finds it: by its number in the caller's pid namespace.
 */
#ifndef FDMAP_LOOKUP_BPF_H
#define FDMAP_LOOKUP_BPF_H

#include "compat.bpf.h"

/*
 * The caller itself for 0. With a reference, or NULL and *error: -ESRCH, or
 * -EOPNOTSUPP where this kernel has no lookup in a nested pid namespace
 * (bpf_task_from_vpid() came with 6.13); iterators answer there.
 */
static __always_inline struct task_struct *task_by_vpid(struct task_struct *caller, __s32 pid, int *error)
{
	struct task_struct *task;

	*error = 0;
	if (pid == 0) {
		task = bpf_task_acquire(caller);
	} else if (config.vpid_lookup) {
		task = bpf_task_from_vpid(pid);
	} else {
		struct pid *own;
		unsigned int level = 0;

		bpf_rcu_read_lock();
		own = plain(caller)->thread_pid;
		if (own)
			level = own->level;
		bpf_rcu_read_unlock();
		if (level) {
			*error = -EOPNOTSUPP;
			return NULL;
		}
		task = bpf_task_from_pid(pid);
	}
	if (!task)
		*error = -ESRCH;
	return task;
}

#endif
