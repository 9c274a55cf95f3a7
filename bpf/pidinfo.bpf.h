/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * pidinfo.bpf.h - status of processes in binary, many records a call. Linux 6.10 and
 * later, as pidmap.bpf.c.
 *
 * The caller names whom he wants: that is a lookup of 40 ns each, where a walk of
 * the task list would visit all for every buffer that one answer fills.
 */
#ifndef FDMAP_PIDINFO_BPF_H
#define FDMAP_PIDINFO_BPF_H

#include "kernel.h"
#include "fdmap.h"
#include "copy.bpf.h"
#include "compat.bpf.h"
#include "hidepid.bpf.h"
#include "pidns.bpf.h"

/* A member of a task found by its address: a plain load, for plain() gives a typed pointer. */
#define USED(task, member) ((task)->member)
#define TABLE_READ(pointer, member) ((pointer)->member)

#include "pidinfo/record.bpf.h"
#include "pidinfo/steps.bpf.h"

DEFINE_SLOTS(struct slot);

/*
 * A function of its own by the verifier's count (global): it is verified once,
 * from whatever state, and not in every state of the loop that calls it. It
 * takes no pointer but the slot, hence the addresses there; the caller holds RCU.
 */
__noinline int add_task(struct slot *slot)
{
	struct pidns ns;

	if (!slot)
		return 1;
	ns.ns = (void *)slot->ns;
	ns.level = slot->level;
	return add_record(slot, plain(bpf_get_current_task_btf()), plain((void *)slot->task), &ns);
}

/* As task_by_vpid(), whose callers do not hold RCU. */
static __always_inline struct task_struct *task_named(__s32 pid)
{
	return config.vpid_lookup ? bpf_task_from_vpid(pid) : bpf_task_from_pid(pid);
}

struct naming {
	struct slot *slot;
	bool hide; /* nothing is told of those that the caller may not read */
};

static long add_named(__u32 i, struct naming *naming)
{
	struct slot *slot = naming->slot;
	struct task_struct *task;
	__s32 pid;
	int full;

	if (i >= PIDINFO_WIDE_PIDS || slot->steps > STEPS_MOST)
		return 1;
	pid = slot->pids[i];
	task = pid > 0 ? task_named(pid) : NULL;
	if (!task)
		return add_error(slot, pid, -ESRCH);
	if (config.hidepid && naming->hide && !may_read(plain(bpf_get_current_task_btf()), plain(task))) {
		bpf_task_release(task);
		return add_error(slot, pid, config.hidepid == HIDEPID_NO_ACCESS ? -EACCES : -ESRCH);
	}
	slot->task = (__u64)task;
	full = add_task(slot) != 0;
	bpf_task_release(task);
	return full;
}

static __always_inline int pidinfo(const struct pidinfo_head *head, struct slot *slot, __u32 most)
{
	struct task_struct *caller = bpf_get_current_task_btf();
	struct naming naming = { .slot = slot };
	__u32 count = head->count;
	int error = 0;

	slot->mask = head->mask;
	slot->flags = head->flags;
	slot->nested = 0;
	slot->steps = 0;
	__builtin_memset(slot->paths.sent, 0, sizeof(slot->paths.sent));
	if (head->abi != FDMAP_ABI || head->flags & ~PIDINFO_THREADS || count > most)
		return -EINVAL;
	bpf_rcu_read_lock();
	if (!begin_answer(slot, plain(caller)))
		error = -ESRCH;
	else if (slot->nested && !config.vpid_lookup)
		error = -EOPNOTSUPP;
	else {
		naming.hide = under_policy(plain(caller));
		bpf_loop(count, add_named, &naming, 0);
	}
	bpf_rcu_read_unlock();
	end_answer(slot);
	return error;
}

static __always_inline void answer(struct pidinfo_head *head, struct slot *slot)
{
	if (slot->error)
		slot->used = 0;
	head->error = slot->error;
	head->stored = slot->error ? 0 : slot->stored;
	head->bytes = slot->used;
	head->nested = slot->nested;
}

/* The pids that are named, from the context: loads at constant offsets, as the answer's stores. */
#define HEAD sizeof(struct pidinfo_head)
#define PIDS (offsetof(struct slot, pids) - HEAD)
#define COPY_PIDS_SMALL(slot, ctx) COPY_4(slot, ctx, PIDS, HEAD)
#define COPY_128(slot, ctx, offset)                   \
	COPY_16(slot, ctx, PIDS, HEAD + (offset))     \
	COPY_16(slot, ctx, PIDS, HEAD + (offset) + 128) \
	COPY_16(slot, ctx, PIDS, HEAD + (offset) + 256) \
	COPY_16(slot, ctx, PIDS, HEAD + (offset) + 384)
#define COPY_PIDS_WIDE(slot, ctx)     \
	COPY_128(slot, ctx, 0)        \
	COPY_128(slot, ctx, 512)      \
	COPY_128(slot, ctx, 1024)     \
	COPY_128(slot, ctx, 1536)

#define PIDINFO_PROGRAM(size, named, copy_pids, copy)                   \
	SEC("syscall")                                                  \
	int pidinfo_##size(struct pidinfo_##size *ctx)                  \
	{                                                               \
		struct slot *slot = CLAIM_SLOT();                       \
		__u64 bytes;                                            \
									\
		if (!slot) {                                            \
			ctx->head.error = -EBUSY;                       \
			ctx->head.stored = 0;                           \
			ctx->head.bytes = 0;                            \
			return 0;                                       \
		}                                                       \
		slot->used = 0;                                         \
		slot->stored = 0;                                       \
		slot->room = sizeof(ctx->records);                      \
		copy_pids(slot, ctx)                                    \
		slot->error = pidinfo(&ctx->head, slot, named);         \
		answer(&ctx->head, slot);                               \
		bytes = slot->used;                                     \
		clear_behind(slot->records, bytes, sizeof(slot->records), slot->zeros); \
		copy(ctx, slot->records, sizeof(ctx->head), bytes)      \
	copied:                                                         \
		FREE_SLOT(slot);                                        \
		return 0;                                               \
	}

#endif
