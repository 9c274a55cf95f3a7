/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* record.bpf.h - one record: the fixed part and the groups that were asked for. */
#ifndef FDMAP_PIDINFO_RECORD_BPF_H
#define FDMAP_PIDINFO_RECORD_BPF_H

#include "slot.bpf.h"
#include "ids.bpf.h"
#include "files.bpf.h"
#include "memory.bpf.h"
#include "times.bpf.h"
#ifndef PIDINFO_BASIC
#include "cgroup.bpf.h"
#include "kinds.bpf.h"
#include "namespaces.bpf.h"
#endif

/* Begins a record; NULL when the buffer is full. */
static __always_inline struct pidinfo_record *begin_record(struct slot *slot)
{
	struct pidinfo_record *record;

	slot->begin = slot->used;
	slot->valid = 0;
	slot->full = 0;
	record = append(slot, sizeof(*record));
	if (!record)
		return NULL;
	record->head.kind = FDMAP_KIND_PROCESS;
	record->head.fixed = sizeof(*record);
	record->head.version = FDMAP_FORMAT;
	record->head.flags = 0;
	record->head.error = 0;
	record->head.mask = 0;
	record->head.size = sizeof(*record);
	record->start_time = 0;
	return record;
}

/* Nonzero when there was no room for all of it; then it is as if it had not been begun. */
static __always_inline int end_record(struct slot *slot)
{
	__u32 begin = slot->begin, used = slot->used;
	struct pidinfo_record *record;

	if (slot->full || used > slot->room || begin > RECORD_BYTES - sizeof(*record)) {
		slot->used = begin;
		return 1;
	}
	record = (void *)(slot->records + begin);
	record->head.size = used - begin;
	record->head.mask = slot->valid;
	slot->stored++;
	return 0;
}

/* The record of a pid that was named and is not there. */
static __always_inline int add_error(struct slot *slot, __s32 pid, __s32 error)
{
	struct pidinfo_record *record = begin_record(slot);

	if (!record)
		return 1;
	record->pid = pid;
	record->tid = pid;
	record->head.error = error;
	return end_record(slot);
}

/*
 * Groups that follow may_read(), as their files in /proc do; nobody asks it in vain.
 * Programs that are PIDINFO_BASIC have none of them, nor what else few ask for.
 */
#define GUARDED_GROUPS (1ULL << PIDINFO_IO | 1ULL << PIDINFO_NAMESPACES | 1ULL << PIDINFO_KINDS)

static __always_inline void add_others(struct slot *slot, struct task_struct *task)
{
#ifndef PIDINFO_BASIC
	if (WANTED(slot, PIDINFO_NAMESPACES) && slot->open)
		add_namespaces(slot, task);
	if (WANTED(slot, PIDINFO_KINDS) && slot->open)
		add_kinds(slot, task);
	/* the last one: behind its path is the record's own padding, at which a reader stops */
	if (WANTED(slot, PIDINFO_CGROUP))
		add_cgroup(slot, (void *)task);
#endif
}

static __always_inline int add_record(struct slot *slot, struct task_struct *caller, struct task_struct *task,
				      const struct pidns *ns)
{
	struct task_struct___status *status = (void *)task;
	struct pidinfo_record *record = begin_record(slot);

	if (!record)
		return 1;
	record->pid = tgid_in(task, ns);
	record->tid = tid_in(task, ns);
	record->start_time = status->start_boottime + slot->boot_offset;
#ifndef PIDINFO_BASIC
	if (slot->mask & GUARDED_GROUPS)
		slot->open = may_read(caller, task) && (!slot->borrowed || caller->tgid == task->tgid);
#endif
	if (WANTED(slot, PIDINFO_STATUS))
		add_status(slot, task, ns);
	if (WANTED(slot, PIDINFO_CREDS))
		add_creds(slot, task);
	if (WANTED(slot, PIDINFO_FILES))
		add_files(slot, task);
	if (WANTED(slot, PIDINFO_LIMIT))
		add_limit(slot, task);
	if (slot->mask & USAGE_GROUPS)
		add_usage_groups(slot, status);
	if (WANTED(slot, PIDINFO_MEMORY))
		add_memory(slot, status);
	if (WANTED(slot, PIDINFO_SCHED))
		add_sched(slot, status);
	add_others(slot, task);
	return end_record(slot);
}

/* What is the same for all records of a call. False for a caller that is about to leave. */
static __always_inline bool begin_answer(struct slot *slot, struct task_struct *caller)
{
	const struct cred *cred = caller->cred;
	struct user_namespace *users = cred->user_ns;
	struct pid *pid = caller->thread_pid;
	struct pidns ns = {};

	if (!pid)
		return false;
	if (pid->level == 0)
		ns.ns = pid->numbers[0].ns;
	else if (!pidns_of(caller, &ns))
		return false;
	slot->ns = (__u64)ns.ns;
	slot->level = ns.level;
	slot->nested = ns.level != 0;
	slot->users = users->level ? (__u64)users : 0;
	slot->boot_offset = boot_offset_of(caller);
	slot->borrowed = 0;
#ifndef PIDINFO_BASIC
	if (WANTED(slot, PIDINFO_CGROUP_PATH))
		begin_paths(slot, (void *)caller);
#endif
	return true;
}

static __always_inline void end_answer(struct slot *slot)
{
	slot->ns = 0;
	slot->task = 0;
	slot->users = 0;
	slot->thread = 0;
	slot->threads = 0;
#ifndef PIDINFO_BASIC
	slot->paths.root = 0;
	slot->paths.cgroup = 0;
#endif
}

#endif
