/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * objects.bpf.h - descriptors of other kernel objects: processes, memory, BPF,
 * io_uring, namespaces, message queues, terminals, userfaultfd, perf.
 */
#ifndef FDMAP_OBJECTS_BPF_H
#define FDMAP_OBJECTS_BPF_H

#include "subject.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pid___tasks {
	struct hlist_head tasks[4];
};

struct shmem_inode_info {
	unsigned int seals;
	struct inode vfs_inode;
};

enum bpf_map_type { BPF_MAP_TYPE_ANY };
enum bpf_prog_type { BPF_PROG_TYPE_ANY };
enum bpf_link_type { BPF_LINK_TYPE_ANY };

struct bpf_map {
	enum bpf_map_type map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 id;
	char name[16];
	bool frozen;
};

struct bpf_prog_aux {
	__u32 id;
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
};

struct bpf_link {
	__u32 id;
	enum bpf_link_type type;
	struct bpf_prog *prog;
};

struct io_uring {
	__u32 head;
	__u32 tail;
};

struct io_rings {
	struct io_uring sq;
	struct io_uring cq;
};

struct io_rsrc_data {
	unsigned int nr;
};

struct io_file_table {
	struct io_rsrc_data data;
};

struct io_ring_ctx {
	unsigned int flags;
	struct io_rings *rings;
	unsigned int sq_entries;
	unsigned int cq_entries;
	struct io_file_table file_table;
};

/* until 6.12; the table's own number since (3597f2786b68) */
struct io_ring_ctx___v6_12 {
	unsigned int nr_user_files;
};

struct proc_ns_operations {
	const char *name;
};

struct ns_common {
	const struct proc_ns_operations *ops;
};

struct mq_attr {
	long mq_maxmsg;
	long mq_msgsize;
	long mq_curmsgs;
};

struct mqueue_inode_info {
	struct inode vfs_inode;
	struct mq_attr attr;
	unsigned long qsize;
};

struct userfaultfd_ctx {
	unsigned int features;
};

struct perf_event_attr {
	__u32 type;
	__u64 config;
};

struct perf_event {
	struct perf_event_attr attr;
	__u32 orig_type;
	int cpu;
};

struct tty_struct {
	int index;
};

struct tty_file_private {
	struct tty_struct *tty;
};

#pragma clang attribute pop

/* pidfd_show_fdinfo() of fs/pidfs.c, kernel/fork.c before 6.9 */
__noinline int read_pidfd(struct subject *s)
{
	struct pid___tasks *tasks;
	struct pid *pid;
	struct hlist_head head = {};

	if (!s)
		return 0;
	if (s->magic == PIDFS_MAGIC) {
		struct inode *inode = (void *)s->inode;

		pid = BPF_CORE_READ(inode, i_private);
	} else {
		pid = (void *)s->private_data;
	}
	ZERO_CLASS(s);
	SET_CLASS(s, pidfd, FDINFO_A_PIDFD);
	tasks = (void *)pid;
	BPF_CORE_READ_INTO(&head, tasks, tasks[0]);
	s->class.pidfd.pid = -1;
	if (head.first) {
		struct upid *upid;
		unsigned int level = s->caller.level;

		s->class.pidfd.pid = 0;
		if (BPF_CORE_READ(pid, level) >= level) {
			upid = upid_at(pid, level);
			if (BPF_CORE_READ(upid, ns) == s->caller.ns)
				s->class.pidfd.pid = BPF_CORE_READ(upid, nr);
		}
	}
	return 0;
}

/* The name follows "memfd:" in the dentry, which is s->name by now. */
static __always_inline void read_memfd(struct subject *s)
{
	if (s->magic == TMPFS_MAGIC) {
		struct shmem_inode_info *info = (void *)s->inode - bpf_core_field_offset(struct shmem_inode_info, vfs_inode);

		ZERO_CLASS(s);
		SET_CLASS(s, memfd, FDINFO_A_MEMFD);
		s->class.memfd.seals = BPF_CORE_READ(info, seals);
	}
}

__noinline int read_bpf(struct subject *s)
{
	struct bpf_map *map;
	struct bpf_prog *prog;
	struct bpf_prog_aux *aux;
	struct bpf_link *link;

	if (!s)
		return 0;
	ZERO_CLASS(s);
	SET_CLASS(s, bpf, FDINFO_A_BPF);
	s->name_size = 0;
	if (s->record.type == FDINFO_BPF_MAP) {
		map = (void *)s->private_data;
		s->class.bpf.id = BPF_CORE_READ(map, id);
		s->class.bpf.type = BPF_CORE_READ(map, map_type);
		s->class.bpf.key_size = BPF_CORE_READ(map, key_size);
		s->class.bpf.value_size = BPF_CORE_READ(map, value_size);
		s->class.bpf.max_entries = BPF_CORE_READ(map, max_entries);
		s->class.bpf.frozen = BPF_CORE_READ(map, frozen);
		set_name_string(s, (void *)map + bpf_core_field_offset(struct bpf_map, name));
	} else if (s->record.type == FDINFO_BPF_PROG) {
		prog = (void *)s->private_data;
		aux = BPF_CORE_READ(prog, aux);
		s->class.bpf.id = BPF_CORE_READ(aux, id);
		s->class.bpf.type = BPF_CORE_READ(prog, type);
		set_name_string(s, (void *)aux + bpf_core_field_offset(struct bpf_prog_aux, name));
	} else {
		link = (void *)s->private_data;
		s->class.bpf.id = BPF_CORE_READ(link, id);
		s->class.bpf.type = BPF_CORE_READ(link, type);
		prog = BPF_CORE_READ(link, prog);
		if (prog) {
			aux = BPF_CORE_READ(prog, aux);
			s->class.bpf.program = BPF_CORE_READ(aux, id);
		}
	}
	return 0;
}

/* io_uring_show_fdinfo() of io_uring/fdinfo.c */
__noinline int read_io_uring(struct subject *s)
{
	struct io_ring_ctx *ctx;
	struct io_ring_ctx___v6_12 *old;
	struct io_rings *rings;

	if (!s)
		return 0;
	ctx = (void *)s->private_data;
	old = (void *)ctx;
	ZERO_CLASS(s);
	SET_CLASS(s, io_uring, FDINFO_A_IO_URING);
	s->class.io_uring.setup_flags = BPF_CORE_READ(ctx, flags);
	s->class.io_uring.sq_entries = BPF_CORE_READ(ctx, sq_entries);
	s->class.io_uring.cq_entries = BPF_CORE_READ(ctx, cq_entries);
	if (bpf_core_field_exists(ctx->file_table.data)) {
		s->class.io_uring.files = BPF_CORE_READ(ctx, file_table.data.nr);
		s->class.io_uring.has_files = 1;
	} else if (bpf_core_field_exists(old->nr_user_files)) {
		s->class.io_uring.files = BPF_CORE_READ(old, nr_user_files);
		s->class.io_uring.has_files = 1;
	}
	rings = BPF_CORE_READ(ctx, rings);
	if (!rings)
		return 0;
	s->class.io_uring.sq_head = BPF_CORE_READ(rings, sq.head);
	s->class.io_uring.sq_tail = BPF_CORE_READ(rings, sq.tail);
	s->class.io_uring.cq_head = BPF_CORE_READ(rings, cq.head);
	s->class.io_uring.cq_tail = BPF_CORE_READ(rings, cq.tail);
	return 0;
}

__noinline int read_namespace(struct subject *s)
{
	struct inode *inode;
	struct ns_common *ns;
	const struct proc_ns_operations *ops;
	const char *name;

	if (!s)
		return 0;
	inode = (void *)s->inode;
	ns = BPF_CORE_READ(inode, i_private);
	s->name_size = 0;
	if (!ns || !bpf_core_field_exists(ns->ops))
		return 0;
	ops = BPF_CORE_READ(ns, ops);
	name = BPF_CORE_READ(ops, name);
	set_name_string(s, name);
	return 0;
}

/* ipc/mqueue.c */
static __always_inline void read_mqueue(struct subject *s)
{
	struct mqueue_inode_info *info;

	info = (void *)s->inode - bpf_core_field_offset(struct mqueue_inode_info, vfs_inode);
	ZERO_CLASS(s);
	SET_CLASS(s, mqueue, FDINFO_A_MQUEUE);
	s->class.mqueue.max_messages = BPF_CORE_READ(info, attr.mq_maxmsg);
	s->class.mqueue.message_size = BPF_CORE_READ(info, attr.mq_msgsize);
	s->class.mqueue.messages = BPF_CORE_READ(info, attr.mq_curmsgs);
	s->class.mqueue.queued = BPF_CORE_READ(info, qsize);
}

static __always_inline void read_userfaultfd(struct subject *s)
{
	struct userfaultfd_ctx *ctx;

	ctx = (void *)s->private_data;
	ZERO_CLASS(s);
	if (bpf_core_field_exists(ctx->features)) {
		SET_CLASS(s, userfaultfd, FDINFO_A_USERFAULTFD);
		s->class.userfaultfd.features = BPF_CORE_READ(ctx, features);
	}
}

static __always_inline void read_perf(struct subject *s)
{
	struct perf_event *event;

	event = (void *)s->private_data;
	ZERO_CLASS(s);
	if (bpf_core_field_exists(event->attr)) {
		SET_CLASS(s, perf, FDINFO_A_PERF);
		/* as it was asked for: perf_init_event() may replace attr.type */
		if (bpf_core_field_exists(event->orig_type))
			s->class.perf.event_type = BPF_CORE_READ(event, orig_type);
		else
			s->class.perf.event_type = BPF_CORE_READ(event, attr.type);
		s->class.perf.config = BPF_CORE_READ(event, attr.config);
		s->class.perf.cpu = BPF_CORE_READ(event, cpu);
	}
}

/* /dev/ptmx alone: which pty its descriptor is the master of. The slave says so by its own minor. */
static __always_inline void read_ptmx(struct subject *s)
{
	struct tty_file_private *file;
	struct tty_struct *tty;

	file = (void *)s->private_data;
	tty = file ? BPF_CORE_READ(file, tty) : NULL;
	if (tty) {
		ZERO_CLASS(s);
		SET_CLASS(s, tty, FDINFO_A_TTY);
		s->class.tty.index = BPF_CORE_READ(tty, index);
	}
}

/* Those of a few reads each, in one function: a light skeleton takes 32 (MAX_USED_PROGS of libbpf's gen_loader.c). */
__noinline int read_object(struct subject *s)
{
	if (!s)
		return 0;
	switch (s->record.type) {
	case FDINFO_MEMFD:
		read_memfd(s);
		break;
	case FDINFO_MQUEUE:
		read_mqueue(s);
		break;
	case FDINFO_USERFAULTFD:
		read_userfaultfd(s);
		break;
	case FDINFO_PERF:
		read_perf(s);
		break;
	case FDINFO_CHAR:
		read_ptmx(s);
		break;
	}
	return 0;
}

#endif
