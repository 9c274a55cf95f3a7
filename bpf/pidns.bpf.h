/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * pidns.bpf.h - numbers of processes as the caller's pid namespace has them:
 * pid_nr_ns() and task_active_pid_ns() of kernel/pid.c.
 */
#ifndef FDMAP_PIDNS_BPF_H
#define FDMAP_PIDNS_BPF_H

#include "compat.bpf.h"

struct pidns {
	struct pid_namespace *ns;
	unsigned int level;
};

/*
 * `pid` as read by BPF_CORE_READ: the verifier of 6.1 does not add to a pointer
 * that it knows the type of. numbers[] is as long as the namespace is deep, so
 * step by the kernel's size.
 */
static __always_inline struct upid *upid_at(struct pid *pid, unsigned int level)
{
	return (void *)&pid->numbers[0] + level * bpf_core_type_size(struct upid);
}

/* False for a caller that is about to leave and has no number any more. */
static __always_inline bool pidns_of(struct task_struct *task, struct pidns *ns)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct upid *upid;

	if (!pid)
		return false;
	ns->level = BPF_CORE_READ(pid, level);
	/* a variable: BPF_CORE_READ would relocate our own ns->level too */
	upid = upid_at(pid, ns->level);
	ns->ns = BPF_CORE_READ(upid, ns);
	return true;
}

/* The number of `pid` in `ns`; 0 when it is not visible there. */
static __always_inline __s32 pid_nr_in(struct pid *pid, const struct pidns *ns)
{
	struct upid *upid;

	if (!pid || BPF_CORE_READ(pid, level) < ns->level)
		return 0;
	upid = upid_at(pid, ns->level);
	if (BPF_CORE_READ(upid, ns) != ns->ns)
		return 0;
	return BPF_CORE_READ(upid, nr);
}

static __always_inline __s32 tid_in(struct task_struct *task, const struct pidns *ns)
{
	/* the initial namespace's numbers are in the task itself */
	return ns->level ? pid_nr_in(BPF_CORE_READ(task, thread_pid), ns) : task->pid;
}

static __always_inline __s32 tgid_in(struct task_struct *task, const struct pidns *ns)
{
	return ns->level ? pid_nr_in(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]), ns) : task->tgid;
}

#endif
