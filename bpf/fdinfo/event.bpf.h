/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* event.bpf.h - eventfd, timerfd, signalfd: fs/eventfd.c, fs/timerfd.c, fs/signalfd.c */
#ifndef FDMAP_EVENT_BPF_H
#define FDMAP_EVENT_BPF_H

#include "subject.bpf.h"

#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define EFD_SEMAPHORE 1

struct signal_set {
	__u64 bits;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct eventfd_ctx {
	__u64 count;
	unsigned int flags;
	int id;
};

struct hrtimer_clock_base {
	long long offset;
};

struct timerqueue_node {
	long long expires;
};

struct hrtimer {
	struct timerqueue_node node;
	struct hrtimer_clock_base *base;
};

struct alarm {
	struct timerqueue_node node;
	struct hrtimer timer;
};

struct timerfd_ctx {
	union {
		struct hrtimer tmr;
		struct alarm alarm;
	} t;
	long long tintv;
	__u64 ticks;
	int clockid;
	unsigned short settime_flags;
};

struct signalfd_ctx {
	struct signal_set sigmask;
};

#pragma clang attribute pop

__noinline int read_eventfd(struct subject *s)
{
	struct eventfd_ctx *ctx;

	if (!s)
		return 0;
	ctx = (void *)s->private_data;
	ZERO_CLASS(s);
	SET_CLASS(s, eventfd, FDINFO_A_EVENTFD);
	s->class.eventfd.count = BPF_CORE_READ(ctx, count);
	s->class.eventfd.flags = BPF_CORE_READ(ctx, flags) & EFD_SEMAPHORE;
	s->class.eventfd.id = BPF_CORE_READ(ctx, id);
	return 0;
}

/*
 * As timerfd_show() prints it. The clock of a timer is the monotonic one and the
 * offset of its base, which the kernel keeps current (hrtimer_update_base()).
 */
__noinline int read_timerfd(struct subject *s)
{
	struct timerfd_ctx *ctx;
	struct hrtimer_clock_base *base = NULL;
	long long expires, left;
	int clock;

	if (!s)
		return 0;
	ctx = (void *)s->private_data;
	ZERO_CLASS(s);
	SET_CLASS(s, timerfd, FDINFO_A_TIMERFD);
	clock = BPF_CORE_READ(ctx, clockid);
	s->class.timerfd.clock = clock;
	s->class.timerfd.ticks = BPF_CORE_READ(ctx, ticks);
	s->class.timerfd.interval = BPF_CORE_READ(ctx, tintv);
	s->class.timerfd.settime_flags = BPF_CORE_READ(ctx, settime_flags);
	if (!bpf_core_field_exists(ctx->t.tmr.base) || !bpf_core_field_exists(base->offset) ||
	    !bpf_core_field_exists(ctx->t.tmr.node.expires) || !bpf_core_field_exists(ctx->t.alarm.node.expires))
		return 0;
	if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) {
		base = BPF_CORE_READ(ctx, t.alarm.timer.base);
		expires = BPF_CORE_READ(ctx, t.alarm.node.expires);
	} else {
		base = BPF_CORE_READ(ctx, t.tmr.base);
		expires = BPF_CORE_READ(ctx, t.tmr.node.expires);
	}
	left = expires - (long long)bpf_ktime_get_ns() - BPF_CORE_READ(base, offset);
	s->class.timerfd.remaining = left > 0 ? left : 0;
	s->class.timerfd.has_remaining = 1;
	return 0;
}

__noinline int read_signalfd(struct subject *s)
{
	struct signalfd_ctx *ctx;
	struct signal_set set;

	if (!s)
		return 0;
	ctx = (void *)s->private_data;
	ZERO_CLASS(s);
	SET_CLASS(s, signalfd, FDINFO_A_SIGNALFD);
	/* kept inverted: do_signalfd4() */
	BPF_CORE_READ_INTO(&set, ctx, sigmask);
	s->class.signalfd.mask = ~set.bits;
	return 0;
}

#endif
