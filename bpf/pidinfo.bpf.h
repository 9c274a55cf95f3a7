/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * pidinfo.bpf.h - status of processes in binary, many records a call. Linux 6.10 and
 * later, as pidmap.bpf.c.
 *
 * Either by one walk of the task list, for a window of numbers as in pidmap, or
 * for the pids that the caller names.
 */
#ifndef FDMAP_PIDINFO_BPF_H
#define FDMAP_PIDINFO_BPF_H

#include "kernel.h"
#include "fdmap.h"
#include "copy.bpf.h"
#include "compat.bpf.h"
#include "hidepid.bpf.h"
#include "pidns.bpf.h"
#include "pidinfo/record.bpf.h"

DEFINE_SLOTS(struct slot);

/*
 * A function of its own by the verifier's count (global): it is verified once,
 * from whatever state, and not in every state of the loops that call it. It
 * takes no pointers but the slot, hence the addresses there; callers hold RCU.
 */
__noinline int add_task(struct slot *slot)
{
	struct pidns ns;

	if (!slot)
		return 1;
	ns.ns = (void *)slot->ns;
	ns.level = slot->level;
	return add_record(slot, plain((void *)slot->task), &ns);
}

struct naming {
	struct slot *slot;
	bool hide; /* nothing is told of those that the caller may not read */
};

/* As task_by_vpid(), whose callers do not hold RCU. */
static __always_inline struct task_struct *task_named(__s32 pid)
{
	return config.vpid_lookup ? bpf_task_from_vpid(pid) : bpf_task_from_pid(pid);
}

static long add_named(__u32 i, struct naming *naming)
{
	struct slot *slot = naming->slot;
	struct task_struct *task;
	__s32 pid;
	int full;

	if (i >= PIDINFO_WIDE_PIDS)
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

static __always_inline int pidinfo(const struct pidinfo_head *head, struct slot *slot, __u32 pids)
{
	struct task_struct *caller = bpf_get_current_task_btf();
	struct naming naming = { .slot = slot };
	__u32 count = head->count;
	struct pidns ns;
	int error = 0;

	slot->count = count;
	slot->mask = head->mask;
	if (head->abi != FDMAP_ABI || head->mode != PIDINFO_NAMED || count > pids)
		return -EINVAL;
	bpf_rcu_read_lock();
	if (!pidns_of(plain(caller), &ns)) {
		error = -ESRCH;
	} else if (ns.level && !config.vpid_lookup) {
		error = -EOPNOTSUPP;
	} else {
		slot->ns = (__u64)ns.ns;
		slot->level = ns.level;
		slot->nested = ns.level != 0;
		slot->boot_offset = boot_offset_of(plain(caller));
		naming.hide = under_policy(plain(caller));
		bpf_loop(count, add_named, &naming, 0);
		slot->ns = 0;
		slot->task = 0;
	}
	bpf_rcu_read_unlock();
	return error;
}

static __always_inline void answer(struct pidinfo_head *head, struct slot *slot)
{
	if (slot->error)
		slot->used = 0;
	head->error = slot->error;
	head->count = slot->count;
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
		slot->nested = 0;                                       \
		slot->room = sizeof(ctx->records);                      \
		copy_pids(slot, ctx)                                    \
		slot->error = pidinfo(&ctx->head, slot, named);         \
		answer(&ctx->head, slot);                               \
		bytes = slot->used;                                     \
		copy(ctx, slot->records, sizeof(ctx->head), bytes)      \
	copied:                                                         \
		FREE_SLOT(slot);                                        \
		return 0;                                               \
	}

#endif
