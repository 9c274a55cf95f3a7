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

/* An iterator, which has one record at a time, says less before it includes this. */
#ifndef RECORD_BYTES
#define RECORD_BYTES (PIDINFO_WIDE_ROOM * 8)
#define NAMED_PIDS PIDINFO_WIDE_PIDS
#endif

/* What a walk over the threads of a process adds up. */
struct sums {
	__u64 utime;
	__u64 stime;
	__u64 runtime;
	__u64 min_flt;
	__u64 maj_flt;
	__u64 read_bytes;
	__u64 write_bytes;
};

/* Paths of cgroups are told once an answer. */
#define SENT_PATHS 32

struct paths {
	__u64 root;	/* address of the cgroup that the caller's namespace calls / */
	__u64 sent[SENT_PATHS];	/* ids whose path is told, each where its low bits say */
	__u64 cgroup;	/* address of the one that is next */
	__s32 level;	/* its level */
	__s32 ups;	/* how often the path goes up first */
	__s32 common;	/* how many of the ancestors both have */
	__u32 used;
	/* a name more than there is room for, and what a copy takes to a multiple of 8 */
	__u8 path[PIDINFO_PATH_ROOM + 256 + 16];
};

/* A walk over the bits of open_fds. */
struct kinds {
	__u64 words;	/* address of those that are not read yet */
	__u64 files;	/* of the pointers to all files */
	__u64 sb;	/* of the last file system: most descriptors of a process have few */
	__u64 magic;	/* of that file system */
	__u64 word;	/* bits that are left of the last word that was read */
	__u32 left;	/* words */
	__u32 base;	/* the number that the bit behind that word has */
	__u32 count[4];
};

/*
 * Addresses are here because what is in memory has no type for the verifier;
 * they are wiped at the end of a call and no record holds one.
 */
struct slot {
	__u64 busy;	/* claimed by a call; of an iterator: something was asked for */
	__u64 mask;	/* groups wanted */
	__u64 valid;	/* groups that the record under construction has */
	__s64 boot_offset;	/* of the caller's time namespace, in ns */
	__u32 room;	/* bytes that the caller's context has room for */
	__u32 used;	/* bytes of finished records, and of the one under construction */
	__u32 begin;	/* where the one under construction begins */
	__u32 full;	/* there was no room for all of it */
	__u32 flags;	/* of the question */
	__u32 stored;
	__u32 nested;
	__u32 open;	/* may_read() of the task */
	__u32 borrowed;	/* who reads the iterator is not who opened it */
	__s32 error;
	__u64 level;	/* of the caller's pid namespace */
	__u64 ns;	/* its address */
	__u64 task;	/* the task that is next */
	__u64 users;	/* the caller's user namespace; 0 for the initial one */
	__u64 thread;	/* list_head of the thread that is next */
	__u64 threads;	/* list_head of them all */
	__u64 steps;	/* threads and pieces of tables that this call has looked at */
	struct sums sums;
#ifndef PIDINFO_BASIC
	struct paths paths;
	struct kinds kinds;
#endif
	__s32 pids[NAMED_PIDS];
	__u8 records[RECORD_BYTES];
#ifdef SLOT_END
	SLOT_END
#endif
};

/* Room for `size` bytes, a constant multiple of 8; NULL when there is none. */
static __always_inline void *append(struct slot *slot, const __u32 size)
{
	__u32 used = slot->used;

	if (used > RECORD_BYTES - size) {
		slot->full = 1;
		return NULL;
	}
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
