/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* record.bpf.h - one record: the fixed part and the groups that were asked for. */
#ifndef FDMAP_PIDINFO_RECORD_BPF_H
#define FDMAP_PIDINFO_RECORD_BPF_H

#include "slot.bpf.h"
#include "ids.bpf.h"
#include "files.bpf.h"

/* Begins a record; NULL when the buffer is full. */
static __always_inline struct pidinfo_record *begin_record(struct slot *slot)
{
	struct pidinfo_record *record;

	slot->begin = slot->used;
	slot->valid = 0;
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
static __always_inline int end_record(struct slot *slot, bool complete)
{
	__u32 begin = slot->begin, used = slot->used;

	if (!complete || used > slot->room || begin > RECORD_BYTES - sizeof(struct pidinfo_record)) {
		slot->used = begin;
		return 1;
	}
	struct pidinfo_record *record = (void *)(slot->records + begin);

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
	return end_record(slot, true);
}

static __always_inline int add_record(struct slot *slot, struct task_struct *task, const struct pidns *ns)
{
	struct task_struct___status *status = (void *)task;
	struct pidinfo_record *record = begin_record(slot);

	if (!record)
		return 1;
	record->pid = tgid_in(task, ns);
	record->tid = tid_in(task, ns);
	record->start_time = status->start_boottime + slot->boot_offset;
	if (WANTED(slot, PIDINFO_STATUS))
		add_status(slot, task, ns);
	if (WANTED(slot, PIDINFO_CREDS))
		add_creds(slot, task);
	if (WANTED(slot, PIDINFO_FILES))
		add_files(slot, task);
	if (WANTED(slot, PIDINFO_LIMIT))
		add_limit(slot, task);
	/* each group that was wanted and found room is valid */
	return end_record(slot, slot->valid == slot->mask);
}

#endif
