/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * fdmap.bpf.h - fdmap(2) once its task is known: one window of the bitmap, and
 * the two contexts that it is answered in. Included by the program for every
 * task and by the one for the caller alone; they differ in TASK_OF_CALL.
 */
#ifndef FDMAP_FDMAP_BPF_H
#define FDMAP_FDMAP_BPF_H

#include "kernel.h"
#include "fdmap.h"
#include "copy.bpf.h"
#include "table.bpf.h"

struct window {
	__s32 error;
	__u32 base;
	__u32 words;
	__u32 size;
};

struct slot {
	__u64 busy;
	struct window window;
	__u64 words[FDMAP_WIDE_ROOM];
	SLOT_END
};

/*
 * One window of the bitmap of `task` into `words`, which has room for `room`.
 * -EAGAIN when the table was replaced meanwhile: the caller asks again, and what
 * was copied, which may be anything, stays here.
 */
static __always_inline int read_window(struct task_struct *task, __u32 start, __u64 *words, const __u32 room,
				       struct window *window)
{
	struct table table;
	__u32 first = start / 64, count;

	window->base = first * 64;
	if (!table_of(task, &table))
		return 0;
	count = (table.size + 63) / 64;
	if (first < count) {
		count -= first;
		if (count > room)
			count = room;
		bpf_probe_read_kernel(words, count * 8, open_fds_of(&table) + first);
		window->words = count;
	}
	window->size = table.size;
	if (table_unchanged(task, &table))
		return 0;
	window->words = 0;
	return -EAGAIN;
}

static __always_inline bool valid_question(const struct fdmap_head *head)
{
	return head->abi == FDMAP_ABI && head->flags == 0 && head->start >= 0;
}

static __always_inline void answer(struct fdmap_head *head, const struct window *window)
{
	head->error = window->error;
	head->base = window->base;
	head->words = window->error ? 0 : window->words;
	head->size = window->size;
}

/*
 * `read(head, words, room, window)` finds the task and fills both, or returns a
 * negative errno. The two forms are objects of their own: the wide one is 8,000
 * instructions of copy, most of the time that loading takes, and most callers
 * never need it.
 */
#define FDMAP_SMALL_PROGRAM(name, read)                                                                      \
	SEC("syscall")                                                                                       \
	int name##_small(struct fdmap_small *ctx)                                                            \
	{                                                                                                    \
		struct window window = { .error = -EINVAL };                                                 \
		__u64 words[FDMAP_SMALL_ROOM] = {};                                                          \
													     \
		if (valid_question(&ctx->head))                                                              \
			window.error = read(&ctx->head, words, FDMAP_SMALL_ROOM, &window);                   \
		if (window.error)                                                                            \
			__builtin_memset(words, 0, sizeof(words));                                           \
		answer(&ctx->head, &window);                                                                 \
		COPY_16(ctx, words, sizeof(ctx->head), 0)                                                    \
		return 0;                                                                                    \
	}

/*
 * In this one everything passes through the slot's memory, length and verdict
 * too: values in registers would be followed by the verifier through the whole
 * copy, once for each way to have come by them.
 */
#define FDMAP_WIDE_PROGRAM(name, read)                                                                       \
	DEFINE_SLOTS(struct slot);                                                                           \
													     \
	SEC("syscall")                                                                                       \
	int name##_wide(struct fdmap_wide *ctx)                                                              \
	{                                                                                                    \
		struct slot *slot = CLAIM_SLOT();                                                            \
		__u64 bytes;                                                                                 \
													     \
		if (!slot) {                                                                                 \
			answer(&ctx->head, &(struct window){ .error = -EBUSY });                             \
			return 0;                                                                            \
		}                                                                                            \
		slot->window = (struct window){ .error = -EINVAL };                                          \
		if (valid_question(&ctx->head))                                                              \
			slot->window.error = read(&ctx->head, slot->words, FDMAP_WIDE_ROOM, &slot->window);  \
		answer(&ctx->head, &slot->window);                                                           \
		bytes = slot->window.words * 8ULL;                                                           \
		clear_behind(slot->words, bytes, sizeof(slot->words), slot->zeros);                         \
		COPY_WIDE(ctx, slot->words, sizeof(ctx->head), bytes)                                        \
	copied:                                                                                              \
		FREE_SLOT(slot);                                                                             \
		return 0;                                                                                    \
	}

#endif
