// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How many descriptors each process has open, by one walk of the task list: a
 * tenth of what a record of each would cost. Linux 6.10 and later, for callers in the initial
 * pid namespace, as pidmap.bpf.c.
 */
#include "kernel.h"
#include "fdmap.h"
#include "copy.bpf.h"
#include "hidepid.bpf.h"
#include "pidns.bpf.h"

#define TABLE_READ(pointer, member) ((pointer)->member)

#include "pidinfo/open.bpf.h"
#include "pidinfo/steps.bpf.h"
#include "pidinfo/boot.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct slot {
	__u64 busy;
	__s64 boot_offset;
	/* in memory, not in registers: the verifier would follow every value */
	__s32 error;
	__u32 count;
	__u32 stored;
	__u32 nested;
	__u64 steps;
	struct pidinfo_count processes[PIDINFO_COUNTS_ROOM];
	SLOT_END
};

DEFINE_SLOTS(struct slot);

struct question {
	__s32 start;
	__s32 end;
	bool hide;
	struct task_struct *caller;
};

static __always_inline void take(struct slot *slot, const struct question *q, struct task_struct *task)
{
	struct task_struct___status *status = (void *)task;
	struct pidinfo_count *out;
	__s32 nr = task->pid;
	__u32 size;
	__u64 n;

	if (nr <= 0 || nr < q->start || nr >= q->end)
		return;
	if (config.hidepid && q->hide && !may_read(q->caller, task))
		return;
	n = slot->count++;
	/* the caller asks again for those that are counted and not stored */
	if (n >= PIDINFO_COUNTS_ROOM || slot->steps > STEPS_MOST)
		return;
	out = &slot->processes[AT_MOST(n, PIDINFO_COUNTS_ROOM - 1)];
	out->pid = nr;
	out->count = count_open(task, &size);
	out->start_time = status->start_boottime + slot->boot_offset;
	slot->steps += STEPS_OF_TABLE(size);
	slot->stored = n + 1;
}

static __always_inline int counts(const struct pidmap_head *head, struct slot *slot)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *each;
	struct question q = { .start = head->start, .end = head->end };
	struct pidns ns = {};
	struct bpf_iter_task it;
	int error = 0;

	if (head->abi != FDMAP_ABI || q.start < 0 || head->mode != PIDMAP_PROC)
		return -EINVAL;
	bpf_rcu_read_lock();
	q.caller = plain(caller);
	if (!pidns_of(q.caller, &ns)) {
		error = -ESRCH;
	} else if (ns.level) {
		slot->nested = 1;
		error = -EOPNOTSUPP;
	} else {
		slot->boot_offset = boot_offset_of(q.caller);
		if (config.hidepid)
			q.hide = under_policy(q.caller);
		bpf_iter_task_new(&it, NULL, BPF_TASK_ITER_ALL_PROCS);
		while ((each = bpf_iter_task_next(&it)))
			take(slot, &q, plain(each));
		bpf_iter_task_destroy(&it);
	}
	bpf_rcu_read_unlock();
	return error;
}

SEC("syscall")
int pidinfo_counts(struct pidinfo_counts *ctx)
{
	struct slot *slot = CLAIM_SLOT();
	__u64 bytes;

	if (!slot) {
		ctx->head.error = -EBUSY;
		ctx->head.count = 0;
		ctx->head.stored = 0;
		return 0;
	}
	slot->count = 0;
	slot->stored = 0;
	slot->nested = 0;
	slot->steps = 0;
	slot->error = counts(&ctx->head, slot);
	if (slot->error)
		slot->stored = 0;
	ctx->head.error = slot->error;
	ctx->head.count = slot->error ? 0 : slot->count;
	ctx->head.stored = slot->stored;
	ctx->head.nested = slot->nested;
	bytes = AT_MOST(slot->stored, PIDINFO_COUNTS_ROOM) * 16ULL;
	clear_behind(slot->processes, bytes, sizeof(slot->processes), slot->zeros);
	COPY_WIDE(ctx, slot->processes, sizeof(ctx->head), bytes)
copied:
	FREE_SLOT(slot);
	return 0;
}
