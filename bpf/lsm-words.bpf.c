// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * For `fdmap install`: the first words of a thread's cred->security, to find out
 * where Landlock and AppArmor keep theirs on this machine. The answer holds
 * addresses of the kernel's, so it is for who may load programs and read all
 * memory anyway: this object is run by its loader, and never pinned.
 */
#include "kernel.h"
#include "fdmap.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct climb {
	struct task_struct *task;
};

static long to_parent(__u32 i, struct climb *climb)
{
	struct task_struct *task = climb->task;

	if (BPF_CORE_READ(task, tgid) <= 1)
		return 1;
	climb->task = BPF_CORE_READ(task, real_parent);
	return 0;
}

SEC("syscall")
int lsm_words(struct fdmap_lsm *ctx)
{
	struct climb climb = { .task = bpf_get_current_task_btf() };
	struct task_struct *task;
	__u64 words[FDMAP_LSM_ROOM] = {};
	const void *security;

	bpf_loop(ctx->ancestor, to_parent, &climb, 0);
	task = climb.task;
	security = BPF_CORE_READ(task, cred, security);
	ctx->error = -ESRCH;
	if (!security)
		return 0;
	/* the words behind the end of a short blob are somebody else's; the caller calibrates */
	ctx->error = bpf_probe_read_kernel(words, sizeof(words), security);
	for (int i = 0; i < FDMAP_LSM_ROOM; i++)
		ctx->words[i] = words[i];
	return 0;
}
