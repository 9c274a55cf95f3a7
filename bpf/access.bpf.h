/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * access.bpf.h - may the caller read this task? The verdict of
 * ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS), which guards
 * readlink(/proc/PID/fd/N): __ptrace_may_access() in kernel/ptrace.c, then
 * cap_ptrace_access_check() in security/commoncap.c.
 *
 * The caller holds RCU, or a freed cred decides. Hooks of other security
 * modules cannot be called from BPF: docs/architecture.md says what follows.
 */
#ifndef FDMAP_ACCESS_BPF_H
#define FDMAP_ACCESS_BPF_H

#include "compat.bpf.h"

/* Depth of nested user namespaces: 32 (create_user_ns() in kernel/user_namespace.c). */
#define USER_NS_LEVELS 33

static __always_inline __u64 effective_caps(const struct cred *cred)
{
	__u64 caps = 0;

	/* by size: the member's name and type changed in 6.3 (f122a08b197d) */
	bpf_core_read(&caps, sizeof(caps), &cred->cap_effective);
	return caps;
}

static __always_inline __u64 permitted_caps(const struct cred *cred)
{
	__u64 caps = 0;

	bpf_core_read(&caps, sizeof(caps), &cred->cap_permitted);
	return caps;
}

struct climb {
	__u64 effective;		/* the caller's capabilities */
	__u64 own;			/* the caller's user namespace, to compare */
	struct user_namespace *ns;	/* where we are, from the target's upwards */
	int own_level;
	__u32 euid;
	bool capable;
};

/* One namespace of cap_capable() in security/commoncap.c; 1 ends the climb. */
static long climb_one(__u32 i, struct climb *climb)
{
	struct user_namespace *ns = climb->ns, *parent;

	if (!ns)
		return 1;
	if ((__u64)ns == climb->own) {
		climb->capable = climb->effective >> CAP_SYS_PTRACE & 1;
		return 1;
	}
	if (BPF_CORE_READ(ns, level) <= climb->own_level)
		return 1;
	parent = BPF_CORE_READ(ns, parent);
	/* the owner of a namespace, seen from its parent, has every capability */
	if ((__u64)parent == climb->own && BPF_CORE_READ(ns, owner.val) == climb->euid) {
		climb->capable = true;
		return 1;
	}
	climb->ns = parent;
	return 0;
}

/*
 * ns_capable(ns, CAP_SYS_PTRACE) for `cred`. By bpf_loop(), whose body is
 * verified once; a bounded loop would be walked 33 times over at each call.
 */
static __noinline bool has_ptrace_over(const struct cred *cred, struct user_namespace *ns)
{
	struct user_namespace *own = cred->user_ns;
	struct climb climb = {
		.effective = effective_caps(cred),
		.own = (__u64)own,
		.ns = ns,
		.own_level = own->level,
		.euid = cred->euid.val,
	};

	bpf_loop(USER_NS_LEVELS, climb_one, &climb, 0);
	return climb.capable;
}

/* The ids that PTRACE_MODE_READ_FSCREDS compares; without branches, for the verifier's sake. */
static __always_inline bool same_ids(const struct cred *cred, const struct cred *target)
{
	__u32 uid = cred->fsuid.val, gid = cred->fsgid.val;

	return !((uid ^ target->euid.val) | (uid ^ target->suid.val) | (uid ^ target->uid.val) |
		 (gid ^ target->egid.val) | (gid ^ target->sgid.val) | (gid ^ target->gid.val));
}

/*
 * Both tasks as plain() pointers. The ids and the permitted capabilities, which
 * the kernel looks at in turn, have the same way out: CAP_SYS_PTRACE over the
 * target's user namespace. So the namespaces are climbed once for both.
 */
static __always_inline bool may_read(struct task_struct *caller, struct task_struct *task)
{
	const struct cred *cred, *target;
	struct dumpable dumpable;

	if (caller->tgid == task->tgid)
		return true;

	cred = caller->cred;
	target = task->real_cred;
	if (!cred || !target)
		return false;
	if (!same_ids(cred, target) || cred->user_ns != target->user_ns ||
	    permitted_caps(target) & ~effective_caps(cred)) {
		if (!has_ptrace_over(cred, target->user_ns))
			return false;
	}

	dumpable = dumpable_of(task);
	if (dumpable.user)
		return true;
	if (dumpable.known)
		return has_ptrace_over(cred, dumpable.user_ns);
	/*
	 * Without an image to ask, kernels that keep no user_dumpable bit let
	 * everybody through whose ids match. We ask for the capability, as newer
	 * ones do: stricter for the leader of a group that has exited.
	 */
	return cred->user_ns->level == 0 && effective_caps(cred) >> CAP_SYS_PTRACE & 1;
}

#endif
