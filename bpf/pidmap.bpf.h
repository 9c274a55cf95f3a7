/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * pidmap.bpf.h - pidmap(2): numbers of processes and threads by one walk of the task list,
 * about 9 ns a task. Linux 6.10 and later (open-coded task iterator 6.7,
 * kernel functions in syscall programs 6.10).
 *
 * The list is walked in order of creation; the caller sorts. Every task that
 * lives through the walk is in it: it is an RCU list, joined at the tail.
 */
#ifndef FDMAP_PIDMAP_BPF_H
#define FDMAP_PIDMAP_BPF_H

#include "kernel.h"
#include "fdmap.h"
#include "copy.bpf.h"
#include "hidepid.bpf.h"
#include "lookup.bpf.h"
#include "pidns.bpf.h"

struct slot {
	__u64 busy;
	/* in memory, not in registers: the verifier would follow every value */
	__s32 error;
	__u32 count;
	__u32 stored;
	__u32 nested;
	__s32 pids[PIDMAP_ROOM];
	SLOT_END
};

DEFINE_SLOTS(struct slot);

struct question {
	__u32 mode;
	bool ignore_kthreads;
	bool hide; /* what the caller may not read is left out, but for what follows */
	bool processes_shown;
	__s32 parent; /* thread group of the named process, as the kernel numbers it */
	__s32 start;
	__s32 end;
	struct pidns ns;
	struct task_struct *caller;
};

static __always_inline void take(struct slot *slot, const struct question *q, struct task_struct *task, __u32 room)
{
	__s32 nr;
	__u32 n;

	if (q->ignore_kthreads && task->flags & PF_KTHREAD)
		return;
	if (q->mode == PIDMAP_CHILDREN && task->real_parent->tgid != q->parent)
		return;
	nr = tid_in(task, &q->ns);
	if (nr <= 0 || nr < q->start || nr >= q->end)
		return;
	if (config.hidepid && q->hide && !(q->processes_shown && task->pid == task->tgid) &&
	    !may_read(q->caller, task))
		return;
	n = slot->count++;
	if (n < room)
		slot->pids[n] = nr;
}

/*
 * The leader of the named task's group, in the place of its reference: the
 * iterator goes from the task that it is given to the end of the list of
 * threads, and does not come round to those before it (bpf_iter_task_next()).
 */
static __always_inline struct task_struct *to_leader(struct task_struct *task, int *error)
{
	struct task_struct *leader;

	if (task->pid == task->tgid)
		return task;
	/* the kernel's own number, whichever namespace the caller is in */
	leader = bpf_task_from_pid(task->tgid);
	bpf_task_release(task);
	if (!leader)
		*error = -ESRCH;
	return leader;
}

/* Which list holds those of a mode. */
static __always_inline unsigned int list_of(__u32 mode)
{
	if (mode == PIDMAP_THREADS)
		return BPF_TASK_ITER_PROC_THREADS;
	return mode == PIDMAP_TASKS ? BPF_TASK_ITER_ALL_THREADS : BPF_TASK_ITER_ALL_PROCS;
}

static __always_inline int pidmap(const struct pidmap_head *head, struct slot *slot, __u32 room)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task = NULL;
	struct question q = {
		.mode = head->mode & ~PIDMAP_IGNORE_KTHREADS,
		.ignore_kthreads = !!(head->mode & PIDMAP_IGNORE_KTHREADS),
		.start = head->start,
		.end = head->end,
	};
	int error = 0;

	if (head->abi != FDMAP_ABI || q.start < 0 || q.mode < PIDMAP_TASKS || q.mode > PIDMAP_THREADS)
		return -EINVAL;
	if (q.mode == PIDMAP_CHILDREN || q.mode == PIDMAP_THREADS) {
		task = task_by_vpid(caller, head->pid, &error);
		if (task)
			task = to_leader(task, &error);
		if (!task)
			return error;
		q.parent = task->tgid;
	}
	bpf_rcu_read_lock();
	q.caller = plain(caller);
	if (config.hidepid) {
		q.hide = under_policy(q.caller);
		/* hidepid 1: every process is listed, but nothing more is told of it */
		q.processes_shown = config.hidepid == HIDEPID_NO_ACCESS && q.mode <= PIDMAP_PROC;
	}
	if (config.hidepid && task && q.hide && !may_read(q.caller, plain(task))) {
		error = config.hidepid == HIDEPID_NO_ACCESS ? -EACCES : -ESRCH;
	} else if (pidns_of(q.caller, &q.ns)) {
		struct bpf_iter_task it;
		struct task_struct *each;

		slot->nested = q.ns.level != 0;
		bpf_iter_task_new(&it, task, list_of(q.mode));
		while ((each = bpf_iter_task_next(&it)))
			take(slot, &q, plain(each), room);
		bpf_iter_task_destroy(&it);
	} else {
		error = -ESRCH;
	}
	bpf_rcu_read_unlock();
	if (task)
		bpf_task_release(task);
	return error;
}

static __always_inline void answer(struct pidmap_head *head, struct slot *slot, __u32 room)
{
	slot->stored = slot->error ? 0 : slot->count < room ? slot->count : room;
	head->error = slot->error;
	head->count = slot->error ? 0 : slot->count;
	head->stored = slot->stored;
	head->nested = slot->nested;
}

#define PIDMAP_PROGRAM(size, room, copy)                               \
	SEC("syscall")                                                 \
	int pidmap_##size(struct pidmap_##size *ctx)                   \
	{                                                              \
		struct slot *slot = CLAIM_SLOT();                      \
		__u64 bytes;                                           \
								       \
		if (!slot) {                                           \
			ctx->head.error = -EBUSY;                      \
			ctx->head.count = 0;                           \
			ctx->head.stored = 0;                          \
			return 0;                                      \
		}                                                      \
		slot->count = 0;                                       \
		slot->nested = 0;                                      \
		slot->error = pidmap(&ctx->head, slot, room);          \
		answer(&ctx->head, slot, room);                        \
		bytes = slot->stored * 4ULL;                           \
		clear_behind(slot->pids, bytes, sizeof(slot->pids), slot->zeros);          \
		copy(ctx, slot->pids, sizeof(ctx->head), bytes)        \
	copied:                                                        \
		FREE_SLOT(slot);                                       \
		return 0;                                              \
	}

#endif
