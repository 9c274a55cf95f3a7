/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * copy.bpf.h - an answer of variable length into the caller's context.
 *
 * Until 7.1 the verifier takes a store to the context only with its offset in
 * the instruction, so the copy is a straight line of load/store pairs at
 * constant offsets, left at the first block that has nothing to carry. The
 * answer is assembled in a slot: an element of an array map that one call
 * claims, fills, copies out and frees. (A per-CPU map would not do: these
 * programs are preemptible, and two callers on one CPU would mix.)
 */
#ifndef FDMAP_COPY_BPF_H
#define FDMAP_COPY_BPF_H

#include "kernel.h"

/* Callers that can be inside one program at one time; more are told EBUSY. */
#define SLOTS 16

/* `to` and `from` are registers, `offset` a constant in bytes. */
#define COPY_WORD(to, from, to_base, offset)                                                        \
	asm volatile("r0 = *(u64 *)(%[src] + %[at])\n\t"                                            \
		     "*(u64 *)(%[dst] + %[into]) = r0"                                              \
		     :                                                                              \
		     : [src] "r"(from), [dst] "r"(to), [at] "i"(offset), [into] "i"((to_base) + (offset)) \
		     : "r0", "memory");

#define COPY_4(to, from, to_base, offset)                \
	COPY_WORD(to, from, to_base, (offset))           \
	COPY_WORD(to, from, to_base, (offset) + 8)       \
	COPY_WORD(to, from, to_base, (offset) + 16)      \
	COPY_WORD(to, from, to_base, (offset) + 24)

#define COPY_16(to, from, to_base, offset)               \
	COPY_4(to, from, to_base, (offset))              \
	COPY_4(to, from, to_base, (offset) + 32)         \
	COPY_4(to, from, to_base, (offset) + 64)         \
	COPY_4(to, from, to_base, (offset) + 96)

/* 512 bytes, unless the answer ends before them: each place to leave costs the verifier a state. */
#define COPY_BLOCK(to, from, to_base, bytes, offset)     \
	if ((bytes) <= (offset))                         \
		goto copied;                             \
	COPY_16(to, from, to_base, (offset))             \
	COPY_16(to, from, to_base, (offset) + 128)       \
	COPY_16(to, from, to_base, (offset) + 256)       \
	COPY_16(to, from, to_base, (offset) + 384)

#define COPY_4_BLOCKS(to, from, to_base, bytes, offset)       \
	COPY_BLOCK(to, from, to_base, bytes, (offset))        \
	COPY_BLOCK(to, from, to_base, bytes, (offset) + 512)  \
	COPY_BLOCK(to, from, to_base, bytes, (offset) + 1024) \
	COPY_BLOCK(to, from, to_base, bytes, (offset) + 1536)

/* 8 KiB */
#define COPY_16_BLOCKS(to, from, to_base, bytes, offset)        \
	COPY_4_BLOCKS(to, from, to_base, bytes, (offset))       \
	COPY_4_BLOCKS(to, from, to_base, bytes, (offset) + 2048)\
	COPY_4_BLOCKS(to, from, to_base, bytes, (offset) + 4096)\
	COPY_4_BLOCKS(to, from, to_base, bytes, (offset) + 6144)

/*
 * A whole context, less its head of 48 bytes, up to the end of the answer,
 * where it jumps to `copied`: 4,048 bytes and 32,720.
 */
#define COPY_SMALL(to, from, to_base, bytes)                   \
	COPY_4_BLOCKS(to, from, to_base, bytes, 0)             \
	COPY_BLOCK(to, from, to_base, bytes, 2048)             \
	COPY_BLOCK(to, from, to_base, bytes, 2560)             \
	COPY_BLOCK(to, from, to_base, bytes, 3072)             \
	COPY_TAIL(to, from, to_base, bytes, 3584)

#define COPY_WIDE(to, from, to_base, bytes)                    \
	COPY_16_BLOCKS(to, from, to_base, bytes, 0)            \
	COPY_16_BLOCKS(to, from, to_base, bytes, 8192)         \
	COPY_16_BLOCKS(to, from, to_base, bytes, 16384)        \
	COPY_4_BLOCKS(to, from, to_base, bytes, 24576)         \
	COPY_4_BLOCKS(to, from, to_base, bytes, 26624)         \
	COPY_4_BLOCKS(to, from, to_base, bytes, 28672)         \
	COPY_BLOCK(to, from, to_base, bytes, 30720)            \
	COPY_BLOCK(to, from, to_base, bytes, 31232)            \
	COPY_BLOCK(to, from, to_base, bytes, 31744)            \
	COPY_TAIL(to, from, to_base, bytes, 32256)

/* The last 464 bytes: the head is where the rest of the block would be. */
#define COPY_TAIL(to, from, to_base, bytes, offset)            \
	if ((bytes) <= (offset))                               \
		goto copied;                                   \
	COPY_16(to, from, to_base, (offset))                   \
	COPY_16(to, from, to_base, (offset) + 128)             \
	COPY_16(to, from, to_base, (offset) + 256)             \
	COPY_4(to, from, to_base, (offset) + 384)              \
	COPY_4(to, from, to_base, (offset) + 416)              \
	COPY_WORD(to, from, to_base, (offset) + 448)           \
	COPY_WORD(to, from, to_base, (offset) + 456)

/*
 * The copy goes on to the end of a block of 512 bytes, where a slot still holds
 * what it assembled for somebody else. A slot ends with room for that, and with
 * zeros that nothing is ever written to.
 */
#define SLOT_BEHIND 512

#define SLOT_END                              \
	__u8 behind[SLOT_BEHIND];             \
	__u8 zeros[512];

static __always_inline void clear_behind(void *answer, __u64 bytes, const __u64 most, const void *zeros)
{
	__u64 rest;

	/* the verifier is to see the limit that the compiler knows */
	asm volatile("" : "+r"(bytes));
	if (bytes > most)
		return;
	rest = (512 - (bytes & 511)) & 511;
	bpf_probe_read_kernel(answer + bytes, rest, zeros);
}

#define DEFINE_SLOTS(slot_type)                           \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY);         \
		__uint(max_entries, SLOTS);               \
		__type(key, __u32);                       \
		__type(value, slot_type);                 \
	} slots SEC(".maps")

/* A free slot of `slots` (its first member is __u64 busy), or NULL. */
#define CLAIM_SLOT()                                                                  \
	({                                                                            \
		void *claimed = NULL;                                                 \
		for (__u32 i = 0; i < SLOTS; i++) {                                   \
			__u32 key = i;                                                \
			__u64 *busy = bpf_map_lookup_elem(&slots, &key);              \
			if (busy && __sync_val_compare_and_swap(busy, 0, 1) == 0) {   \
				claimed = busy;                                       \
				break;                                                \
			}                                                             \
		}                                                                     \
		claimed;                                                              \
	})

#define FREE_SLOT(slot) __sync_lock_test_and_set(&(slot)->busy, 0)

#endif
