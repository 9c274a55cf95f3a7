// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pidmap(2) through read(2): every task of the caller's pid namespace, in
 * ascending order. For kernels before 6.10 and for nested pid namespaces,
 * whose tasks an iterator visits alone. The caller filters by mode.
 */
#include "kernel.h"
#include "fdmap.h"
#include "hidepid.bpf.h"
#include "pidns.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("iter/task")
int pidmap_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_struct *caller = plain(bpf_get_current_task_btf());
	struct pidmap_record record = {};
	struct pidns ns;

	if (!task || !pidns_of(caller, &ns))
		return 0;
	task = plain(task);
	record.tid = tid_in(task, &ns);
	record.pid = tgid_in(task, &ns);
	record.flags = task->flags & PF_KTHREAD ? PIDMAP_RECORD_IS_KTHREAD : 0;
	if (under_policy_of(ctx->meta->seq, caller) && !may_read_by(ctx->meta->seq, caller, task)) {
		/* the numbers of processes remain visible, those of threads do not */
		if (config.hidepid != HIDEPID_NO_ACCESS || record.tid != record.pid)
			return 0;
		record.flags |= PIDMAP_RECORD_IS_CLOSED;
	} else {
		record.ppid = tgid_in(task->real_parent, &ns);
	}
	if (record.tid > 0)
		bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
