/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* namespaces.bpf.h - the namespaces that a process lives in. */
#ifndef FDMAP_PIDINFO_NAMESPACES_BPF_H
#define FDMAP_PIDINFO_NAMESPACES_BPF_H

#include "slot.bpf.h"
#include "../pidns.bpf.h"

/* One that the kernel was built without, or that a zombie has left, has no number. */
#define INUM(nsproxy, member) BPF_CORE_READ(nsproxy, member, ns.inum)

static __always_inline void add_namespaces(struct slot *slot, struct task_struct *task)
{
	struct task_struct___status *status = (void *)task;
	struct pidinfo_namespaces *out = GROUP(slot, namespaces, PIDINFO_NAMESPACES);
	struct nsproxy *nsproxy = status->nsproxy;
	struct user_namespace___status *user;
	const struct cred *cred;
	struct pid_namespace *pid_ns;
	struct pidns pidns = {};

	if (!out)
		return;
	out->cgroup = INUM(nsproxy, cgroup_ns);
	out->ipc = INUM(nsproxy, ipc_ns);
	out->mnt = INUM(nsproxy, mnt_ns);
	out->net = INUM(nsproxy, net_ns);
	out->pid_for_children = INUM(nsproxy, pid_ns_for_children);
	out->time = INUM(nsproxy, time_ns);
	out->time_for_children = INUM(nsproxy, time_ns_for_children);
	out->uts = INUM(nsproxy, uts_ns);
	cred = task->real_cred;
	user = (void *)BPF_CORE_READ(cred, user_ns);
	out->user = BPF_CORE_READ(user, ns.inum);
	pidns_of(task, &pidns);
	pid_ns = pidns.ns;
	out->pid = BPF_CORE_READ(pid_ns, ns.inum);
	out->pad = 0;
}

#endif
