/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * slot.bpf.h - where records are put together: one after the other, each a
 * fixed part and the groups that were asked for. All state is in memory, none
 * in registers: the verifier then finds the same state behind each group,
 * whichever were asked for, and walks the code once.
 */
#ifndef FDMAP_PIDINFO_SLOT_BPF_H
#define FDMAP_PIDINFO_SLOT_BPF_H

#include "kernel.h"
#include "../fdmap.h"

#define RECORD_BYTES (PIDINFO_WIDE_ROOM * 8)

struct slot {
	__u64 busy;
	__u64 mask;	/* groups wanted */
	__u64 valid;	/* groups that the record under construction has */
	__s64 boot_offset;	/* of the caller's time namespace, in ns */
	__u32 room;	/* bytes that the caller's context has room for */
	__u32 used;	/* bytes of finished records, and of the one under construction */
	__u32 begin;	/* where the one under construction begins */
	__u32 count;
	__u32 stored;
	__u32 nested;
	__s32 error;
	__u32 level;	/* of the caller's pid namespace */
	__u64 ns;	/* its address */
	__u64 task;	/* address of the task that is next; no record holds either */
	__s32 pids[PIDINFO_WIDE_PIDS];
	__u8 records[RECORD_BYTES];
};

/* Room for `size` bytes, a constant multiple of 8; NULL when there is none. */
static __always_inline void *append(struct slot *slot, const __u32 size)
{
	__u32 used = slot->used;

	if (used > RECORD_BYTES - size)
		return NULL;
	slot->used = used + size;
	return slot->records + used;
}

/* `struct pidinfo_x *x = GROUP(slot, x, PIDINFO_X)`: the attribute of a group, its head filled in. */
#define GROUP(slot, name, number)                                                   \
	({                                                                          \
		struct pidinfo_##name *group = append(slot, sizeof(*group));        \
		if (group) {                                                        \
			group->head.length = sizeof(*group);                        \
			group->head.type = number;                                  \
			(slot)->valid |= 1ULL << (number);                          \
		}                                                                   \
		group;                                                              \
	})

#define WANTED(slot, number) ((slot)->mask & 1ULL << (number))

#endif
