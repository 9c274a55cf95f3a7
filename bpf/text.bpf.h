/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * text.bpf.h - lines for shells: `cat` of a pinned iterator. What others named is
 * escaped, so that a name cannot end a line, begin a column or speak to a
 * terminal: as \ooo, in octal, as /proc/self/mounts has it.
 *
 * A line is put together in storage of the reading thread and written piece by
 * piece; of one that no longer fits the reader's buffer nothing is shown before
 * the next read(2), which begins with it.
 */
#ifndef FDMAP_TEXT_BPF_H
#define FDMAP_TEXT_BPF_H

#include "compat.bpf.h"

#define SOURCE_ROOM 4096	/* PATH_MAX */
#define LINE_ROOM 1024

struct line {
	__u32 used;
	__u32 before;	/* the byte before, for characters of two */
	__u32 escape_blanks;
	__u32 padding;
	char bytes[LINE_ROOM];
	char source[SOURCE_ROOM];	/* what is to be escaped */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct line);
} lines SEC(".maps");

/* Strings stay out of .rodata, which is `config` and nothing else. */
#define TEXT(name, text) static const char name[] SEC(".rodata.text") = text

/* The arguments are an array: bpf_seq_printf() takes 64-bit words. */
#define PRINT(seq, format, ...)                                                      \
	({                                                                           \
		__u64 arguments[] = { __VA_ARGS__ };                                 \
		bpf_seq_printf(seq, format, sizeof(format), arguments, sizeof(arguments)); \
	})

static __always_inline struct line *line_of(struct task_struct *caller)
{
	return bpf_task_storage_get(&lines, caller, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

struct escaping {
	struct seq_file *seq;
	struct line *line;
};

static __always_inline void write_line(struct seq_file *seq, struct line *line)
{
	__u64 length = AT_MOST(line->used, LINE_ROOM);

	bpf_seq_write(seq, line->bytes, length);
	line->used = 0;
}

/* C0, DEL, C1 as UTF-8 has it (c2 80 to c2 9f), and the backslash itself. */
static __always_inline bool acts(__u32 byte, __u32 before, __u32 escape_blanks)
{
	return byte < ' ' || byte == 0x7f || byte == '\\' || (byte == ' ' && escape_blanks) ||
	       (byte >= 0x80 && byte < 0xa0 && before == 0xc2);
}

static long escape_byte(__u32 i, struct escaping *escaping)
{
	struct line *line = escaping->line;
	__u64 from = AT_MOST(i, SOURCE_ROOM - 1), to = AT_MOST(line->used, LINE_ROOM - 4);
	__u32 byte = (__u8)line->source[from];

	if (acts(byte, line->before, line->escape_blanks)) {
		line->bytes[to] = '\\';
		line->bytes[to + 1] = '0' + (byte >> 6);
		line->bytes[to + 2] = '0' + (byte >> 3 & 7);
		line->bytes[to + 3] = '0' + (byte & 7);
		line->used = to + 4;
	} else {
		line->bytes[to] = byte;
		line->used = to + 1;
	}
	line->before = byte;
	if (line->used > LINE_ROOM - 4)
		write_line(escaping->seq, line);
	return 0;
}

/* The first `length` bytes of `source` go behind what the line has. */
static __noinline int escape(struct seq_file *seq, struct line *line, __u32 length)
{
	struct escaping escaping = { .seq = seq, .line = line };

	line->before = 0;
	bpf_loop(length < SOURCE_ROOM ? length : SOURCE_ROOM, escape_byte, &escaping, 0);
	return 0;
}

#define COMM_ROOM 16

static __always_inline __u32 length_of_command(const char *command)
{
	__u32 length = 0;

	for (int i = 0; i < COMM_ROOM; i++)
		length += length == i && command[i];
	return length;
}

static __always_inline void end_line(struct line *line)
{
	__u64 at = AT_MOST(line->used, LINE_ROOM - 4);

	line->bytes[at] = '\n';
	line->used = at + 1;
}

#endif
