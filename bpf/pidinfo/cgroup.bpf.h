/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * cgroup.bpf.h - the cgroup v2 of a process and its path: cgroup_path_ns() in
 * kernel/cgroup/cgroup.c and kernfs_path_from_node() in fs/kernfs/dir.c, by the
 * cgroup's list of its ancestors instead of kernfs' chain of parents, which is
 * walked from the other end (and whose member changed in 6.15, 633488947ef6).
 */
#ifndef FDMAP_PIDINFO_CGROUP_BPF_H
#define FDMAP_PIDINFO_CGROUP_BPF_H

#include "slot.bpf.h"
#include "../compat.bpf.h"

#define CSS_ONLINE 2	/* include/linux/cgroup-defs.h */

/* What a directory that was removed is called behind its name, as d_path() has it. */
#define DELETED " (deleted)"

/* A program whose records are too short for a path never has one. */
#if RECORD_BYTES > 2 * PIDINFO_PATH_ROOM

struct pathing {
	struct slot *slot;
};

/* By address: the verifier does not follow an index into an array of the kernel's. */
static __always_inline __u64 ancestor(__u64 address, __u32 level)
{
	struct cgroup *cgroup = (void *)address;
	__u64 found = 0;

	bpf_probe_read_kernel(&found, sizeof(found),
			      (void *)cgroup + bpf_core_field_offset(cgroup->ancestors) + level * sizeof(found));
	return found;
}

static long compare_ancestor(__u32 i, struct pathing *pathing)
{
	struct paths *paths = &pathing->slot->paths;
	__u64 own = ancestor(paths->cgroup, i);

	if (!own || own != ancestor(paths->root, i))
		return 1;
	paths->common = i + 1;
	return 0;
}

/* A component, of bytes of the kernel's or of ours; 1 when there was no room for it. */
static __always_inline long add_component(struct paths *paths, const void *name)
{
	__u64 used = paths->used;
	long length;

	if (used > PIDINFO_PATH_ROOM)
		return 1;
	used = AT_MOST(used, PIDINFO_PATH_ROOM);
	paths->path[used] = '/';
	length = bpf_probe_read_kernel_str(paths->path + used + 1, 256, name);
	/* the final NUL counts, and so does the slash */
	paths->used = used + (length > 0 ? length : 1);
	return paths->used > PIDINFO_PATH_ROOM;
}

static long step(__u32 i, struct pathing *pathing)
{
	struct paths *paths = &pathing->slot->paths;
	struct cgroup *cgroup;
	struct kernfs_node *kn;
	__u32 ups = paths->ups;

	if (i < ups) {
		__u64 used = AT_MOST(paths->used, PIDINFO_PATH_ROOM);

		paths->path[used] = '/';
		paths->path[used + 1] = '.';
		paths->path[used + 2] = '.';
		paths->path[used + 3] = 0;
		paths->used = used + 3;
		return paths->used > PIDINFO_PATH_ROOM;
	}
	i = paths->common + i - ups;
	if ((__s32)i > paths->level)
		return 1;
	cgroup = (void *)ancestor(paths->cgroup, i);
	kn = BPF_CORE_READ(cgroup, kn);
	return add_component(paths, BPF_CORE_READ(kn, name));
}

/* The bytes that step() has put together, as the last attribute of the record. */
static __always_inline void append_path(struct slot *slot, bool truncated)
{
	struct paths *paths = &slot->paths;
	struct pidinfo_record *record;
	struct fdmap_attribute *head;
	__u64 length = paths->used, used = slot->used, padded;

	if (length > PIDINFO_PATH_ROOM)
		length = PIDINFO_PATH_ROOM;
	length = AT_MOST(length, PIDINFO_PATH_ROOM);
	if (used > RECORD_BYTES - PIDINFO_PATH_ROOM - 8) {
		slot->full = 1;
		return;
	}
	used = AT_MOST(used, RECORD_BYTES - PIDINFO_PATH_ROOM - 8);
	/* what pads it to a multiple of 8, head included */
	__builtin_memset(paths->path + length, 0, 8);
	head = (void *)(slot->records + used);
	head->length = sizeof(*head) + length;
	head->type = PIDINFO_CGROUP_PATH;
	/* the record's size is a multiple of 8 */
	padded = AT_MOST((length + 11 & ~7ULL) - sizeof(*head), PIDINFO_PATH_ROOM + 4);
	bpf_probe_read_kernel(slot->records + used + sizeof(*head), padded, paths->path);
	slot->used = used + sizeof(*head) + padded;
	slot->valid |= 1ULL << PIDINFO_CGROUP_PATH;
	if (!truncated)
		return;
	used = AT_MOST(slot->begin, RECORD_BYTES - sizeof(*record));
	record = (void *)(slot->records + used);
	record->head.flags |= FDMAP_TRUNCATED;
}

/*
 * Global, and so verified once and from whatever state. The caller holds RCU, under
 * which cgroups stay; what is read is read by helpers nevertheless.
 */
__noinline int add_path(struct slot *slot)
{
	struct pathing pathing = { .slot = slot };
	struct cgroup *cgroup, *root;
	struct paths *paths;
	__s32 root_level;
	__u32 steps;

	if (!slot)
		return 0;
	paths = &slot->paths;
	cgroup = (void *)paths->cgroup;
	root = (void *)paths->root;
	root_level = BPF_CORE_READ(root, level);
	paths->level = BPF_CORE_READ(cgroup, level);
	paths->common = 0;
	paths->used = 0;
	bpf_loop(PIDINFO_PATH_LEVELS, compare_ancestor, &pathing, 0);
	/* one that has no ancestor in common belongs to no hierarchy of this caller's */
	if (paths->common == 0)
		return 0;
	paths->ups = root_level + 1 - paths->common;
	steps = paths->ups + paths->level + 1 - paths->common;
	bpf_loop(steps < PIDINFO_PATH_LEVELS ? steps : PIDINFO_PATH_LEVELS, step, &pathing, 0);
	if (steps == 0) {
		paths->path[0] = '/';
		paths->used = 1;
	}
	if (paths->used <= PIDINFO_PATH_ROOM && !(BPF_CORE_READ(cgroup, self.flags) & CSS_ONLINE)) {
		__u64 used = AT_MOST(paths->used, PIDINFO_PATH_ROOM);

		__builtin_memcpy(paths->path + used, DELETED, sizeof(DELETED));
		paths->used = used + sizeof(DELETED) - 1;
	}
	append_path(slot, steps > PIDINFO_PATH_LEVELS || paths->used > PIDINFO_PATH_ROOM);
	return 0;
}

#else

static __always_inline int add_path(struct slot *slot)
{
	return 0;
}

#endif

/* task_dfl_cgroup() of include/linux/cgroup.h */
static __always_inline void add_cgroup(struct slot *slot, struct task_struct___status *task)
{
	struct paths *paths = &slot->paths;
	struct pidinfo_cgroup *out;
	struct cgroup *cgroup;
	__u64 *sent, id;

	if (!bpf_core_field_exists(task->cgroups))
		return;
	cgroup = task->cgroups->dfl_cgrp;
	id = cgroup->kn->id;
	out = GROUP(slot, cgroup, PIDINFO_CGROUP);
	if (!out)
		return;
	out->pad = 0;
	out->id = id;
	if (!WANTED(slot, PIDINFO_CGROUP_PATH) || !bpf_core_field_exists(cgroup->ancestors) || !paths->root)
		return;
	sent = &paths->sent[id & (SENT_PATHS - 1)];
	/* who names tasks by a link, or names nothing, may throw records away */
	if (*sent == id && !(slot->flags & PIDINFO_LINK))
		return;
	*sent = id;
	paths->cgroup = (__u64)cgroup;
	add_path(slot);
}

static __always_inline void begin_paths(struct slot *slot, struct task_struct___status *caller)
{
	struct nsproxy *nsproxy = caller->nsproxy;

	slot->paths.root = (__u64)BPF_CORE_READ(nsproxy, cgroup_ns, root_cset, dfl_cgrp);
}

#endif
