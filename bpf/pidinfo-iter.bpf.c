// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pidinfo through read(2): a record for every process that the reader can see,
 * or for the one that the link names. For kernels before 6.10, and for callers
 * in a nested pid namespace before 6.13.
 *
 * A link carries no arguments: what is wanted of each is left in task storage of
 * the calling thread by `pidinfo_request` beforehand, and the record is put
 * together there, for nobody else runs in this thread meanwhile.
 */
#include "kernel.h"
#include "fdmap.h"
#include "hidepid.bpf.h"

#define RECORD_BYTES 4096
#define NAMED_PIDS 2

/* A member of a task found by its address: kernels before 6.2 give it no type. */
#define USED(task, member) BPF_CORE_READ(task, member)

#include "pidinfo/record.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct slot);
} requests SEC(".maps");

SEC("syscall")
int pidinfo_request(struct pidinfo_head *ctx)
{
	struct slot *slot;

	ctx->error = -EINVAL;
	if (ctx->abi != FDMAP_ABI || ctx->flags & ~(PIDINFO_THREADS | PIDINFO_LINK))
		return 0;
	ctx->error = -ENOMEM;
	slot = bpf_task_storage_get(&requests, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!slot)
		return 0;
	slot->busy = 1;
	slot->mask = ctx->mask;
	slot->flags = ctx->flags;
	ctx->error = 0;
	return 0;
}

SEC("iter/task")
int pidinfo_task(struct bpf_iter__task *ctx)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task;
	struct pidns ns = {};
	struct slot *slot;
	__u64 bytes;

	if (!task)
		return 0;
	slot = bpf_task_storage_get(&requests, caller, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!slot)
		return 0;
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
	slot->borrowed = !reader_opened(ctx->meta->seq, caller);
	if (under_policy(caller) && !may_read_by(ctx->meta->seq, caller, task)) {
		/* the numbers of processes remain visible, those of threads do not */
		if (config.hidepid == HIDEPID_NO_ACCESS && task->pid == task->tgid)
			add_error(slot, tid_in(task, &ns), -EACCES);
	} else {
		add_record(slot, caller, task, &ns);
	}
	bytes = AT_MOST(slot->used, RECORD_BYTES);
	if (bytes)
		bpf_seq_write(ctx->meta->seq, slot->records, bytes);
	end_answer(slot);
	return 0;
}
