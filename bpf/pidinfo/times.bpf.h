/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * times.bpf.h - what a process has used: time, page faults, bytes of storage.
 * Sums of what its threads have used, and what signal_struct keeps of those
 * that are gone: thread_group_cputime() in kernel/sched/cputime.c and
 * do_io_accounting() in fs/proc/base.c, without their lock.
 */
#ifndef FDMAP_PIDINFO_TIMES_BPF_H
#define FDMAP_PIDINFO_TIMES_BPF_H

#include "slot.bpf.h"
#include "../compat.bpf.h"

/* PID_MAX_LIMIT of include/linux/threads.h: no process has more threads. */
#define THREADS_MOST (4 * 1024 * 1024)

static __always_inline void add_usage(struct sums *sums, struct task_struct___status *thread)
{
	sums->utime += USED(thread, utime);
	sums->stime += USED(thread, stime);
	sums->runtime += USED(thread, se.sum_exec_runtime);
	sums->min_flt += USED(thread, min_flt);
	sums->maj_flt += USED(thread, maj_flt);
#ifndef PIDINFO_BASIC
	if (bpf_core_field_exists(thread->ioac)) {
		sums->read_bytes += USED(thread, ioac.read_bytes);
		sums->write_bytes += USED(thread, ioac.write_bytes);
	}
#endif
}

struct walk {
	struct slot *slot;
};

/* One of __for_each_thread(). The list is an RCU list: one that leaves it meanwhile still leads on. */
static long add_thread(__u32 i, struct walk *walk)
{
	struct slot *slot = walk->slot;
	struct task_struct___status *thread = NULL;

	if (slot->thread == slot->threads)
		return 1;
	thread = (void *)(slot->thread - bpf_core_field_offset(thread->thread_node));
	thread = (void *)plain((void *)thread);
	add_usage(&slot->sums, thread);
	slot->steps++;
	slot->thread = (__u64)USED(thread, thread_node.next);
	return 0;
}

static __always_inline void sum_threads(struct slot *slot, struct task_struct___status *task)
{
	struct signal_struct___status *signal = task->signal;
	struct walk walk = { .slot = slot };
	struct sums *sums = &slot->sums;

	sums->utime = signal->utime;
	sums->stime = signal->stime;
	sums->runtime = signal->sum_sched_runtime;
	sums->min_flt = signal->min_flt;
	sums->maj_flt = signal->maj_flt;
	sums->read_bytes = 0;
	sums->write_bytes = 0;
#ifndef PIDINFO_BASIC
	if (bpf_core_field_exists(task->ioac)) {
		sums->read_bytes = signal->ioac.read_bytes;
		sums->write_bytes = signal->ioac.write_bytes;
	}
#endif
	slot->threads = (__u64)&signal->thread_head;
	slot->thread = (__u64)signal->thread_head.next;
	bpf_loop(THREADS_MOST, add_thread, &walk, 0);
}

#define USAGE_GROUPS (1ULL << PIDINFO_TIMES | 1ULL << PIDINFO_FAULTS | 1ULL << PIDINFO_IO)

static __always_inline void add_times(struct slot *slot, struct task_struct___status *task)
{
	struct pidinfo_times *out = GROUP(slot, times, PIDINFO_TIMES);
	struct signal_struct___status *signal = task->signal;

	if (!out)
		return;
	out->flags = 0;
	out->utime = slot->sums.utime;
	out->stime = slot->sums.stime;
	out->runtime = slot->sums.runtime;
	if (slot->flags & PIDINFO_THREADS) {
		out->prev_utime = task->prev_cputime.utime;
		out->prev_stime = task->prev_cputime.stime;
	} else {
		out->prev_utime = signal->prev_cputime.utime;
		out->prev_stime = signal->prev_cputime.stime;
	}
}

static __always_inline void add_faults(struct slot *slot)
{
	struct pidinfo_faults *out = GROUP(slot, faults, PIDINFO_FAULTS);

	if (!out)
		return;
	out->pad = 0;
	out->minor = slot->sums.min_flt;
	out->major = slot->sums.maj_flt;
}

/* Without CONFIG_TASK_IO_ACCOUNTING the group stays out. */
static __always_inline void add_io(struct slot *slot, struct task_struct___status *task)
{
#ifndef PIDINFO_BASIC
	struct pidinfo_io *out;

	if (!slot->open || !bpf_core_field_exists(task->ioac))
		return;
	out = GROUP(slot, io, PIDINFO_IO);
	if (!out)
		return;
	out->pad = 0;
	out->read_bytes = slot->sums.read_bytes;
	out->write_bytes = slot->sums.write_bytes;
#endif
}

/* Those of the three groups that are wanted, by one walk. */
static __always_inline void add_usage_groups(struct slot *slot, struct task_struct___status *task)
{
	if (slot->flags & PIDINFO_THREADS) {
		slot->sums = (struct sums){};
		add_usage(&slot->sums, task);
	} else {
		sum_threads(slot, task);
	}
	if (WANTED(slot, PIDINFO_TIMES))
		add_times(slot, task);
	if (WANTED(slot, PIDINFO_FAULTS))
		add_faults(slot);
	if (WANTED(slot, PIDINFO_IO))
		add_io(slot, task);
}

#endif
