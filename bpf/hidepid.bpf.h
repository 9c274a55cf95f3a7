/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * hidepid.bpf.h - which processes a caller knows of, as the mount options
 * hidepid= and gid= of proc have it: has_pid_permissions() in fs/proc/base.c.
 * Pinned programs alone have such a policy; elsewhere `config` says 0.
 */
#ifndef FDMAP_HIDEPID_BPF_H
#define FDMAP_HIDEPID_BPF_H

#include "access.bpf.h"

/* include/linux/proc_fs.h: enum proc_hidepid */
#define HIDEPID_NO_ACCESS 1	/* numbers are seen, nothing more */
#define HIDEPID_INVISIBLE 2
#define HIDEPID_NOT_PTRACEABLE 4 /* the same, and gid= exempts nobody */

struct group_search {
	const kgid_t *gid;
	__u32 wanted;
	__u32 low;
	__u32 high;
	bool found;
};

static long halve(__u32 i, struct group_search *search)
{
	__u32 middle = (search->low + search->high) / 2, gid = 0;

	if (search->low >= search->high)
		return 1;
	/* by address: the verifier does not follow an index into an array of the kernel's */
	if (bpf_probe_read_kernel(&gid, sizeof(gid), (void *)search->gid + middle * sizeof(gid)))
		return 1;
	search->found = gid == search->wanted;
	if (gid < search->wanted)
		search->low = middle + 1;
	else
		search->high = middle;
	return search->found;
}

/* in_group_p() of kernel/groups.c: NGROUPS_MAX is 65536, so 17 steps find any. */
static __noinline bool in_group(const struct cred *cred, __u32 gid)
{
	struct group_info *info = cred->group_info;
	struct group_search search = { .wanted = gid };

	if (cred->fsgid.val == gid)
		return true;
	if (!info)
		return false;
	search.gid = info->gid;
	search.high = info->ngroups;
	bpf_loop(17, halve, &search, 0);
	return search.found;
}

/* Does the policy hold for this caller at all? Once a call, not once a process. */
static __always_inline bool under_policy(struct task_struct *caller)
{
	if (!config.hidepid)
		return false;
	return config.hidepid == HIDEPID_NOT_PTRACEABLE || !in_group(caller->cred, config.exempt_gid);
}

/*
 * The same for who reads an iterator: the group exempts him only if whoever opened
 * it is of the same groups. `group_info` is shared by all credentials that were
 * copied one from the other since setgroups(2).
 */
static __always_inline bool under_policy_of(struct seq_file *seq, struct task_struct *caller)
{
	const struct cred *reader = caller->cred, *opener;

	if (!config.hidepid)
		return false;
	if (under_policy(caller))
		return true;
	opener = opener_of(seq);
	return opener != reader && (BPF_CORE_READ(opener, group_info) != reader->group_info ||
				    BPF_CORE_READ(opener, fsgid.val) != reader->fsgid.val);
}

/* Is this process, which the caller may not read, one that he knows nothing of? */
static __always_inline bool unseen(struct task_struct *caller)
{
	return config.hidepid >= HIDEPID_INVISIBLE && under_policy(caller);
}

static __always_inline bool unseen_by(struct seq_file *seq, struct task_struct *caller)
{
	return config.hidepid >= HIDEPID_INVISIBLE && under_policy_of(seq, caller);
}

#endif
