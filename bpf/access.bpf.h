/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * access.bpf.h - may the caller read this task? The verdict of
 * ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS), which guards
 * readlink(/proc/PID/fd/N): __ptrace_may_access() in kernel/ptrace.c, then
 * cap_ptrace_access_check() in security/commoncap.c.
 *
 * The caller holds RCU, or a freed cred decides. Hooks of other security
 * modules cannot be called from BPF. Who loads a program himself could read all
 * memory anyway; in programs pinned for everybody the guards below stand in for
 * those hooks, and refuse more than they would (docs/security.md).
 */
#ifndef FDMAP_ACCESS_BPF_H
#define FDMAP_ACCESS_BPF_H

#include "compat.bpf.h"

/* Depth of nested user namespaces: 32 (create_user_ns() in kernel/user_namespace.c). */
#define USER_NS_LEVELS 33

/* By address: the members' name and type changed in 6.3 (f122a08b197d), not their eight bytes. */
static __always_inline __u64 caps_at(const kernel_cap_t *caps)
{
	asm volatile("" : "+r"(caps));
	return *(const __u64 *)caps;
}

static __always_inline __u64 effective_caps(const struct cred *cred)
{
	return caps_at(__builtin_preserve_access_index(&cred->cap_effective));
}

/* The same of a cred that is no more than an address to the verifier. */
static __always_inline __u64 effective_caps_at(const struct cred *cred)
{
	__u64 caps = 0;

	bpf_core_read(&caps, sizeof(caps), &cred->cap_effective);
	return caps;
}

static __always_inline __u64 permitted_caps(const struct cred *cred)
{
	return caps_at(__builtin_preserve_access_index(&cred->cap_permitted));
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
 * A word of a security module's in cred->security. Eight bytes at an address that
 * has no type: where a cast is possible they are read as if they were a cred's
 * capabilities, for a helper's call takes as long as thirty loads.
 */
static __always_inline bool security_word(void *security, __u32 offset, __u64 *word)
{
	struct cred *cred = NULL;

	if (!CAN_CAST)
		return !bpf_probe_read_kernel(word, sizeof(*word), security + offset);
	*word = effective_caps(CAST(security + offset - bpf_core_field_offset(cred->cap_effective), struct cred));
	return true;
}

/*
 * Is a caller under a security module that might refuse what the kernel's own
 * rules allow? Landlock asks whether the caller's domain is an ancestor of the
 * target's (hook_ptrace_access_check() in security/landlock/task.c), AppArmor
 * asks the policy of every label but the unconfined one. `security` of his cred.
 */
static __always_inline bool confined(void *security)
{
	__u64 word;

	if (config.landlock_word != FDMAP_NO_WORD) {
		if (!security || !security_word(security, config.landlock_word, &word) || word)
			return true;
	}
	if (config.apparmor_word != FDMAP_NO_WORD) {
		if (!security || !security_word(security, config.apparmor_word, &word) ||
		    word != config.unconfined)
			return true;
	}
	return false;
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
	if (config.self_only)
		return false;

	cred = caller->cred;
	target = task->real_cred;
	if (!cred || !target)
		return false;
	if (config.shared && confined(cred->security))
		return false;
	if (!same_ids(cred, target) || cred->user_ns != target->user_ns ||
	    permitted_caps(target) & ~effective_caps(cred)) {
		if (!has_ptrace_over(cred, target->user_ns))
			return false;
	}

	/*
	 * A process that takes more rights is no longer dumpable before it has them:
	 * commit_creds() of kernel/cred.c writes in that order, with smp_wmb() between.
	 * __ptrace_may_access() has smp_rmb() here.
	 */
	loads_in_order();
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

static __always_inline const struct cred *opener_of(struct seq_file *seq)
{
	if (!CAN_CAST)
		return BPF_CORE_READ(seq, file, f_cred);
	return CAST(seq, struct seq_file)->file->f_cred;
}

/*
 * What reads an iterator may be somebody else than who opened it: a program
 * with more rights that was given it as standard input. What /proc answers by
 * looking at both (f_cred), this does by refusing where they differ, so that
 * nobody borrows a reader's eyes; an opener who is confined borrows none either.
 * Only in pinned programs; `seq` of the iterator.
 */
static __always_inline bool reader_opened(struct seq_file *seq, struct task_struct *caller)
{
	const struct cred *reader = caller->cred, *opener;

	if (!config.shared)
		return true;
	opener = opener_of(seq);
	return opener == reader ||
	       (BPF_CORE_READ(opener, user_ns) == reader->user_ns &&
		BPF_CORE_READ(opener, fsuid.val) == reader->fsuid.val &&
		BPF_CORE_READ(opener, fsgid.val) == reader->fsgid.val &&
		!(effective_caps(reader) & ~effective_caps_at(opener)) &&
		!confined(BPF_CORE_READ(opener, security)));
}

/* May the reader of an iterator read this task? Both tasks as plain() pointers. */
static __always_inline bool may_read_by(struct seq_file *seq, struct task_struct *caller, struct task_struct *task)
{
	return may_read(caller, task) && (caller->tgid == task->tgid || reader_opened(seq, caller));
}

#endif
