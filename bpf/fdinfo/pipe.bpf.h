/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* pipe.bpf.h - pipes and FIFOs: fs/pipe.c, include/linux/pipe_fs_i.h */
#ifndef FDMAP_PIPE_BPF_H
#define FDMAP_PIPE_BPF_H

#include "subject.bpf.h"

#define PIPE_BUFFERS 256 /* occupied ones that are counted; the default pipe has 16 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pipe_buffer {
	unsigned int len;
};

struct pipe_inode_info {
	unsigned int head;
	unsigned int tail;
	unsigned int max_usage;
	unsigned int ring_size;
	unsigned int readers;
	unsigned int writers;
	struct pipe_buffer *bufs;
};

#pragma clang attribute pop

struct queue {
	void *buffers;
	__u32 tail;
	__u32 mask;
	__u32 bytes;
};

static long add_buffer(__u32 i, struct queue *queue)
{
	struct pipe_buffer *buffer;

	buffer = queue->buffers + ((queue->tail + i) & queue->mask) * bpf_core_type_size(struct pipe_buffer);
	queue->bytes += BPF_CORE_READ(buffer, len);
	return 0;
}

__noinline int read_pipe(struct subject *s)
{
	struct inode *inode;
	struct pipe_inode_info *pipe;
	struct queue queue = {};
	__u32 head, used;

	if (!s)
		return 0;
	inode = CAST((void *)s->inode, struct inode);
	pipe = READ(inode, i_pipe);
	if (!pipe)
		return 0;
	ZERO_CLASS(s);
	SET_CLASS(s, pipe, FDINFO_A_PIPE);
	s->class.pipe.readers = READ(pipe, readers);
	s->class.pipe.writers = READ(pipe, writers);
	s->class.pipe.slots = READ(pipe, max_usage);
	s->class.pipe.capacity = (__u64)s->class.pipe.slots * config.page_size;
	head = READ(pipe, head);
	queue.tail = READ(pipe, tail);
	queue.buffers = READ(pipe, bufs);
	queue.mask = READ(pipe, ring_size) - 1;
	used = head - queue.tail;
	if (used <= PIPE_BUFFERS) {
		bpf_loop(used, add_buffer, &queue, 0);
		loads_in_order();
		/* Looked at once more: F_SETPIPE_SZ frees the array (pipe_resize_ring() of fs/pipe.c). */
		if (READ(pipe, bufs) == queue.buffers && READ(pipe, ring_size) - 1 == queue.mask) {
			s->class.pipe.queued = queue.bytes;
			s->class.pipe.has_queued = 1;
		}
	}
	return 0;
}

#endif
