/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * epoll.bpf.h - what an epoll watches: fs/eventpoll.c. The tree is walked in
 * order through its parent pointers, without its lock: a target that is added or
 * removed meanwhile may be missed, and the number of steps ends a walk astray.
 */
#ifndef FDMAP_EPOLL_BPF_H
#define FDMAP_EPOLL_BPF_H

#include "write.bpf.h"

#define EPOLL_TARGETS 640		/* in one object's 32,767 bytes */
#define EPOLL_STEPS (3 * EPOLL_TARGETS + 3)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct epoll_filefd {
	struct file *file;
	int fd;
};

struct epoll_event {
	__u32 events;
	__u64 data;
};

struct epitem {
	struct rb_node rbn;
	struct epoll_filefd ffd;
	struct epoll_event event;
};

struct eventpoll {
	struct rb_root_cached rbr;
};

#pragma clang attribute pop

struct tree_walk {
	struct seq_file *seq;
	struct subject *s;
	struct rb_node *at;
	struct rb_node *from;
};

static __noinline int add_target(struct tree_walk *walk)
{
	struct epitem *item = (void *)walk->at - bpf_core_field_offset(struct epitem, rbn);
	struct fdinfo_target *target;
	struct file *file;
	struct inode *inode;

	target = next_element(walk->seq, walk->s, sizeof(*target), EPOLL_TARGETS);
	if (!target)
		return 1;
	file = BPF_CORE_READ(item, ffd.file);
	target->fd = BPF_CORE_READ(item, ffd.fd);
	target->events = BPF_CORE_READ(item, event.events);
	target->data = BPF_CORE_READ(item, event.data);
	target->pad = 0;
	inode = BPF_CORE_READ(file, f_inode);
	target->inode = BPF_CORE_READ(inode, i_ino);
	target->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	target->file_id = identity((__u64)file);
	return 0;
}

/* One node nearer to the end: down to the left, over the node, down to the right, up. */
static long tree_step(__u32 i, struct tree_walk *walk)
{
	struct rb_node node, *next;

	if (!walk->at || bpf_probe_read_kernel(&node, sizeof(node), walk->at))
		return 1;
	next = (void *)(node.parent_color & ~3UL);
	if (walk->from == next && node.left) {
		next = node.left;
	} else if (walk->from == next || (node.left && walk->from == node.left)) {
		if (add_target(walk))
			return 1;
		if (node.right)
			next = node.right;
	}
	walk->from = walk->at;
	walk->at = next;
	return 0;
}

static __noinline int read_epoll(struct seq_file *seq, struct subject *s)
{
	struct eventpoll *poll = (void *)s->private_data;
	struct tree_walk walk = { .seq = seq, .s = s };

	begin_list(s, FDINFO_A_EPOLL);
	walk.at = BPF_CORE_READ(poll, rbr.rb_root.rb_node);
	bpf_loop(EPOLL_STEPS, tree_step, &walk, 0);
	return 0;
}

#endif
