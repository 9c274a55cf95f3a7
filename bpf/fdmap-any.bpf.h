/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * fdmap-any.bpf.h - fdmap(2): the descriptors of any task, with the access check
 * and the order of errors of the proposal: EINVAL, ESRCH, EACCES. Linux 6.10 and
 * later, where syscall programs may call functions of the kernel (a8e03b6bbb2c).
 */
#ifndef FDMAP_FDMAP_ANY_BPF_H
#define FDMAP_FDMAP_ANY_BPF_H

/* the task is plain() here: no helper is needed to look into it */
#define TABLE_READ(pointer, member) ((pointer)->member)
#include "fdmap.bpf.h"
#include "hidepid.bpf.h"
#include "lookup.bpf.h"

static __always_inline int fdmap(const struct fdmap_head *question, __u64 *words, const __u32 room,
				 struct window *window)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task, *target;
	int error;

	task = task_by_vpid(caller, question->pid, &error);
	if (!task)
		return error;
	bpf_rcu_read_lock();
	target = plain(task);
	if (may_read(plain(caller), target))
		error = read_window(target, question->start, words, room, window);
	else
		error = unseen(plain(caller)) ? -ESRCH : -EACCES;
	bpf_rcu_read_unlock();
	bpf_task_release(task);
	return error;
}

#endif
