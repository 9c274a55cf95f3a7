/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * write.bpf.h - a finished record into the stream. Piece by piece: where one no
 * longer fits the reader's buffer, the whole object is taken back and shown
 * again at the next read (bpf_seq_read() in kernel/bpf/bpf_iter.c).
 */
#ifndef FDMAP_WRITE_BPF_H
#define FDMAP_WRITE_BPF_H

#include "subject.bpf.h"

#define WRITE_PART(seq, from, bytes, most)                        \
	({                                                        \
		__u64 part = AT_MOST(bytes, most);                \
		if (part)                                         \
			bpf_seq_write(seq, from, part);           \
	})

static __noinline int write_record(struct seq_file *seq, struct subject *s)
{
	struct fdmap_record *head = &s->record.head;

	head->kind = FDMAP_KIND_DESCRIPTOR;
	head->version = FDMAP_FORMAT;
	head->fixed = sizeof(s->record);
	head->size = sizeof(s->record) + s->class_size + s->list_size + s->name_size + s->path_size;
	bpf_seq_write(seq, &s->record, sizeof(s->record));
	WRITE_PART(seq, &s->class, s->class_size, sizeof(s->class));
	WRITE_PART(seq, &s->list, s->list_size, sizeof(s->list));
	WRITE_PART(seq, &s->name, s->name_size, sizeof(s->name));
	WRITE_PART(seq, &s->path, s->path_size, sizeof(s->path));
	s->written = 1;
	if (s->list_size)
		s->list_size = sizeof(s->list.head);
	return 0;
}

static __noinline int write_more(struct seq_file *seq, struct subject *s)
{
	struct fdmap_record *head = &s->more.head;

	head->kind = FDINFO_KIND_MORE;
	head->version = FDMAP_FORMAT;
	head->fixed = sizeof(s->more);
	head->flags = s->record.head.flags;
	head->size = sizeof(s->more) + s->list_size;
	s->more.pid = s->record.pid;
	s->more.tid = s->record.tid;
	s->more.fd = s->record.fd;
	bpf_seq_write(seq, &s->more, sizeof(s->more));
	WRITE_PART(seq, &s->list, s->list_size, sizeof(s->list));
	s->list_size = sizeof(s->list.head);
	return 0;
}

/* What is there so far: the record the first time, then the list alone. */
static __always_inline void flush(struct seq_file *seq, struct subject *s)
{
	if (!s->written)
		write_record(seq, s);
	else if (s->list_size > sizeof(s->list.head) || s->record.head.flags)
		write_more(seq, s);
}

/* A list of nothing is an answer too. */
static __always_inline void begin_list(struct subject *s, __u32 attribute)
{
	s->list.head.head.type = attribute;
	s->list.head.head.length = sizeof(s->list.head);
	s->list.head.total = 0;
	s->list_size = sizeof(s->list.head);
	s->elements = 0;
}

/*
 * Room for one more element, or NULL when `limit` are there already; their size
 * divides what they are given of LIST_ROOM. A full list is flushed.
 */
static __always_inline void *next_element(struct seq_file *seq, struct subject *s, const __u32 size, __u32 limit)
{
	__u64 used;

	if (s->elements >= limit) {
		s->record.head.flags |= FDMAP_TRUNCATED;
		return NULL;
	}
	if (s->list_size > sizeof(s->list.head) + LIST_ROOM - size)
		flush(seq, s);
	used = AT_MOST(s->list_size - sizeof(s->list.head), LIST_ROOM - size);
	s->list_size = sizeof(s->list.head) + used + size;
	s->list.head.head.length = s->list_size;
	s->elements++;
	s->list.head.total = s->elements;
	return s->list.elements + used;
}

#endif
