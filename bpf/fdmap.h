/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * fdmap.h - the ABI: what crosses between a caller and the programs.
 *
 * The only definition of every context and record; src/abi/layout.gen.ts is
 * generated from the BTF of the compiled objects. Fixed-width members, explicit
 * padding, little surprises: a context is copied in and out whole by the kernel
 * (bpf_prog_test_run_syscall() in net/bpf/test_run.c), so an answer is always
 * in the buffer that held the question.
 *
 * Every number of a process or a thread is one of the caller's pid namespace.
 */
#ifndef FDMAP_ABI_H
#define FDMAP_ABI_H

#ifndef FDMAP_TYPES_DEFINED
#include <linux/types.h>
#endif

/* Changes only when an existing caller would misread an answer. */
#define FDMAP_ABI 1

/*
 * A program with stores up to offset N needs a buffer of N bytes at every call,
 * and each call copies all of it twice: hence a small and a wide form of each.
 * Kernels before 7.1 take context offsets only as the s16 of an instruction
 * ("dereference of modified ctx ptr"), so 32768 bytes is the ceiling.
 */
#define FDMAP_SMALL_ROOM 16	/* 1,024 descriptors in 176 bytes */
#define FDMAP_WIDE_ROOM 4090	/* 261,760 descriptors in 32,768 bytes */
#define PIDMAP_SMALL_ROOM 1012	/* in 4,096 bytes */
#define PIDMAP_WIDE_ROOM 8180	/* in 32,768 bytes */

/* Constants of the loaded programs, set when they are loaded. */
struct fdmap_config {
	__u32 vpid_lookup;	/* 1: the kernel has bpf_task_from_vpid() (6.13) */
	__u32 pad;
};

/* fdmap(2): which descriptors of a task's table are open, as a bitmap. */
struct fdmap_head {
	__u32 abi;	/* in: FDMAP_ABI */
	__u32 flags;	/* in: must be zero */
	__s32 pid;	/* in: process or thread, 0 for the caller */
	__s32 start;	/* in: first descriptor looked at */
	__s32 error;	/* out: 0 or a negative errno */
	__u32 base;	/* out: the descriptor of bit 0, a multiple of 64 */
	__u32 words;	/* out: how many words of the bitmap are valid */
	__u32 size;	/* out: size of the table; none is open from here on */
	__u32 pad[4];
};

struct fdmap_small {
	struct fdmap_head head;
	__u64 open[FDMAP_SMALL_ROOM];
};

struct fdmap_wide {
	struct fdmap_head head;
	__u64 open[FDMAP_WIDE_ROOM];
};

/* pidmap(2): the modes are an enumeration, as in the proposal. */
enum pidmap_mode {
	PIDMAP_TASKS = 1,	/* every thread of every process */
	PIDMAP_PROC = 2,	/* processes */
	PIDMAP_CHILDREN = 3,	/* processes whose parent is `pid` */
	PIDMAP_THREADS = 4,	/* threads of `pid` */
};

#define PIDMAP_IGNORE_KTHREADS (1U << 30)

/*
 * The cursor is the number itself: the answer holds those in [start, end), in
 * no particular order. `count` may be more than the buffer holds; the caller
 * then asks again for a narrower window. Nothing is skipped by count, so that
 * processes which come and go cannot shift the cursor.
 */
struct pidmap_head {
	__u32 abi;	/* in: FDMAP_ABI */
	__u32 mode;	/* in: enum pidmap_mode, PIDMAP_IGNORE_KTHREADS or-ed */
	__s32 pid;	/* in: for CHILDREN and THREADS, 0 for the caller */
	__s32 start;	/* in: first number wanted */
	__s32 end;	/* in: first number not wanted any more */
	__s32 error;	/* out: 0 or a negative errno */
	__u32 count;	/* out: how many there are in the window */
	__u32 stored;	/* out: how many of them are in pids[] */
	__u32 nested;	/* out: 1 when the caller is in a nested pid namespace */
	__u32 pad[3];
};

struct pidmap_small {
	struct pidmap_head head;
	__s32 pids[PIDMAP_SMALL_ROOM];
};

struct pidmap_wide {
	struct pidmap_head head;
	__s32 pids[PIDMAP_WIDE_ROOM];
};

/* Stream of the pidmap iterator: one for each task that the caller can see. */
struct pidmap_record {
	__s32 tid;
	__s32 pid;
	__s32 ppid;	/* 0 when the parent is not visible */
	__u32 kthread;	/* 1 for a kernel thread */
};

/*
 * Stream of the fdmap iterator for one task: struct fdmap_head; where it says
 * that there are words, those words, and the head again with the verdict on
 * them: 0, or -EAGAIN when the table was replaced meanwhile.
 */

_Static_assert(sizeof(struct fdmap_config) == 8, "fdmap_config");
_Static_assert(sizeof(struct fdmap_head) == 48, "fdmap_head");
_Static_assert(sizeof(struct fdmap_small) == 176, "fdmap_small");
_Static_assert(sizeof(struct fdmap_wide) == 32768, "fdmap_wide");
_Static_assert(sizeof(struct pidmap_head) == 48, "pidmap_head");
_Static_assert(sizeof(struct pidmap_small) == 4096, "pidmap_small");
_Static_assert(sizeof(struct pidmap_wide) == 32768, "pidmap_wide");
_Static_assert(sizeof(struct pidmap_record) == 16, "pidmap_record");

#endif
