// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pidinfo by an iterator, all of it. For kernels before 6.10, for callers in a
 * nested pid namespace before 6.13, and for whoever asks about every process:
 * the kernel's own walk is one call where naming them all is many.
 */
#include "pidinfo-iter.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("syscall")
int pidinfo_request(struct pidinfo_head *ctx)
{
	return take_question(ctx);
}

SEC("iter/task")
int pidinfo_task(struct bpf_iter__task *ctx)
{
	return show_task(ctx);
}
