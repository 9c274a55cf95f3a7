// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pidinfo by an iterator, without what few ask for: io, namespaces and cgroups, the
 * access check that they need, and ids of nested user namespaces. Half of the kernel's
 * types less to look up, for a command that loads its programs each time. Never pinned:
 * no policy is in it.
 */
#define PIDINFO_BASIC
#include "pidinfo-iter.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("syscall")
int basic_request(struct pidinfo_head *ctx)
{
	return take_question(ctx);
}

SEC("iter/task")
int pidinfo_basic(struct bpf_iter__task *ctx)
{
	return show_task(ctx);
}
