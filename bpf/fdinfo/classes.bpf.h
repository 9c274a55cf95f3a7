/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* classes.bpf.h - the facts that a descriptor has of its class: a header each. */
#ifndef FDMAP_CLASSES_BPF_H
#define FDMAP_CLASSES_BPF_H

#include "describe.bpf.h"
#include "epoll.bpf.h"
#include "event.bpf.h"
#include "locks.bpf.h"
#include "notify.bpf.h"
#include "objects.bpf.h"
#include "pipe.bpf.h"
#include "socket.bpf.h"

/* The facts of its class, where the file is open and not just a place (O_PATH). */
static __always_inline void describe_class(struct seq_file *seq, struct subject *s)
{
	switch (s->record.type) {
	case FDINFO_PIPE:
	case FDINFO_FIFO:
		read_pipe(s);
		break;
	case FDINFO_CHAR:
		if (s->record.rdev == (5 << 20 | 2))
			read_object(s);
		break;
	case FDINFO_EVENTFD:
		read_eventfd(s);
		break;
	case FDINFO_EPOLL:
		read_epoll(seq, s);
		break;
	case FDINFO_TIMERFD:
		read_timerfd(s);
		break;
	case FDINFO_SIGNALFD:
		read_signalfd(s);
		break;
	case FDINFO_INOTIFY:
	case FDINFO_FANOTIFY:
		read_watches(seq, s);
		break;
	case FDINFO_PIDFD:
		read_pidfd(s);
		break;
	case FDINFO_MEMFD:
	case FDINFO_MQUEUE:
	case FDINFO_PERF:
	case FDINFO_USERFAULTFD:
		read_object(s);
		break;
	case FDINFO_BPF_MAP:
	case FDINFO_BPF_PROG:
	case FDINFO_BPF_LINK:
		read_bpf(s);
		break;
	case FDINFO_IO_URING:
		read_io_uring(s);
		break;
	case FDINFO_NAMESPACE:
		read_namespace(s);
		break;
	}
}

#endif
