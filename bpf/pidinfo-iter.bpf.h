/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * pidinfo-iter.bpf.h - pidinfo through read(2): a record for every process that the
 * reader can see, or for the one that the link names.
 *
 * A link carries no arguments: what is wanted of each is left in task storage of
 * the calling thread by the request program beforehand, and the record is put
 * together there, for nobody else runs in this thread meanwhile.
 */
#ifndef FDMAP_PIDINFO_ITER_BPF_H
#define FDMAP_PIDINFO_ITER_BPF_H

#include "kernel.h"
#include "fdmap.h"
#ifdef PIDINFO_BASIC
#include "access.bpf.h"
#else
#include "hidepid.bpf.h"
#endif

#define RECORD_BYTES 4096
#define NAMED_PIDS 2

/* A member of a task found by its address: kernels before 6.2 give it no type. */
#define USED(task, member) (CAN_CAST ? (task)->member : BPF_CORE_READ(task, member))
/* Of a task that the kernel gave us every member has its type. */
#define TABLE_READ(pointer, member) ((pointer)->member)

#include "pidinfo/record.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct slot);
} requests SEC(".maps");

static __always_inline int take_question(struct pidinfo_head *ctx)
{
	struct task_struct *caller = bpf_get_current_task_btf();
	struct slot *slot;

	ctx->error = -EINVAL;
	if (ctx->abi != FDMAP_ABI || ctx->flags & ~(PIDINFO_THREADS | PIDINFO_LINK | PIDINFO_FORGET))
		return 0;
#ifdef PIDINFO_BASIC
	/* ids would have to be mapped */
	ctx->error = -EOPNOTSUPP;
	if (BPF_CORE_READ(caller, cred, user_ns, level))
		return 0;
#endif
	ctx->error = -ENOMEM;
	slot = bpf_task_storage_get(&requests, caller, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!slot)
		return 0;
	slot->busy = !(ctx->flags & PIDINFO_FORGET);
	slot->mask = ctx->mask;
	slot->flags = ctx->flags;
#ifndef PIDINFO_BASIC
	__builtin_memset(slot->paths.sent, 0, sizeof(slot->paths.sent));
#endif
	ctx->error = 0;
	return 0;
}

/* The record did not fit: the kernel comes again with the same task, and so must the path of its cgroup. */
static __always_inline void unsent(struct slot *slot)
{
#ifndef PIDINFO_BASIC
	if (slot->valid & 1ULL << PIDINFO_CGROUP_PATH)
		__builtin_memset(slot->paths.sent, 0, sizeof(slot->paths.sent));
#endif
}

static __always_inline int show_task(struct bpf_iter__task *ctx)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task;
	struct pidns ns = {};
	struct slot *slot;
	__u64 bytes;

	if (!task)
		return 0;
	slot = bpf_task_storage_get(&requests, caller, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	/* For want of memory, or of a lock that another thread holds for a moment: once more, not without it. */
	if (!slot)
		return 1;
	/* a reader who has not asked is told everything, of threads as of processes */
	if (!slot->busy) {
		slot->mask = ~0ULL;
		slot->flags = PIDINFO_LINK;
	}
	caller = plain(caller);
	task = plain(task);
	slot->used = 0;
	slot->stored = 0;
	slot->room = RECORD_BYTES;
	if (!(slot->flags & (PIDINFO_THREADS | PIDINFO_LINK)) && task->pid != task->tgid)
		return 0;
	if (!begin_answer(slot, caller) || !pidns_of(caller, &ns))
		return 0;
#ifdef PIDINFO_BASIC
	add_record(slot, caller, task, &ns);
#else
	slot->borrowed = !reader_opened(ctx->meta->seq, caller);
	if (under_policy_of(ctx->meta->seq, caller) && !may_read_by(ctx->meta->seq, caller, task)) {
		/* the numbers of processes remain visible, those of threads do not */
		if (config.hidepid == HIDEPID_NO_ACCESS && task->pid == task->tgid)
			add_error(slot, tid_in(task, &ns), -EACCES);
	} else {
		add_record(slot, caller, task, &ns);
	}
#endif
	bytes = AT_MOST(slot->used, RECORD_BYTES);
	if (bytes && bpf_seq_write(ctx->meta->seq, slot->records, bytes))
		unsent(slot);
	end_answer(slot);
	return 0;
}

#endif
