// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Every descriptor that the reader may see, a line each, for shells without
 * any program of ours: what `fdmap install --text` pins as `fds`. Columns and
 * escapes: docs/abi.md.
 */
#include "kernel.h"
#include "fdmap.h"
#include "hidepid.bpf.h"
#include "fdinfo/describe.bpf.h"
#include "fdinfo/socket.bpf.h"
#include "text.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* In the order of enum fdinfo_type. */
static const char type_names[][12] SEC(".rodata.text") = {
	"unknown", "file",     "dir",	  "symlink",   "block",	   "char",     "pipe",	   "fifo",     "tcp",
	"udp",	   "udplite",  "raw",	  "ping",      "unix",	   "netlink",  "packet",   "vsock",    "socket",
	"eventfd", "epoll",    "timerfd", "signalfd",  "inotify",  "fanotify", "pidfd",	   "memfd",    "bpf-map",
	"bpf-prog", "bpf-link", "io_uring", "userfaultfd", "perf", "landlock", "namespace", "mqueue",   "anon",
};

static const char access_names[][4] SEC(".rodata.text") = { "-", "r", "w", "rw" };

TEXT(heading, "    PID     TID COMMAND             FD TYPE        ACCESS  DEV            INODE NAME\n");
TEXT(numbers, "%7d %7d ");
TEXT(facts, " %5u %-11s %-6s %4u:%-4u %10llu ");
TEXT(inet4, "%pI4:%u->%pI4:%u\n");
TEXT(inet4_alone, "%pI4:%u\n");
TEXT(inet6, "[%x:%x:%x:%x:%x:%x:%x:%x]:%u");
TEXT(arrow, "->");
TEXT(newline, "\n");

static __always_inline __u64 group(const __u8 *address, int i)
{
	return address[i * 2] << 8 | address[i * 2 + 1];
}

static __always_inline void print_inet6(struct seq_file *seq, const __u8 *a, __u16 port)
{
	PRINT(seq, inet6, group(a, 0), group(a, 1), group(a, 2), group(a, 3), group(a, 4), group(a, 5), group(a, 6),
	      group(a, 7), port);
}

/* The end of the line, as addresses; the other end where there is one. */
static __noinline int print_inet(struct seq_file *seq, struct subject *s)
{
	struct fdinfo_inet *inet = &s->class.inet;

	if (inet->family == 4) {
		if (inet->remote_port)
			PRINT(seq, inet4, (__u64)inet->local, inet->local_port, (__u64)inet->remote, inet->remote_port);
		else
			PRINT(seq, inet4_alone, (__u64)inet->local, inet->local_port);
		return 0;
	}
	print_inet6(seq, inet->local, inet->local_port);
	if (inet->remote_port) {
		bpf_seq_write(seq, arrow, sizeof(arrow) - 1);
		print_inet6(seq, inet->remote, inet->remote_port);
	}
	bpf_seq_write(seq, newline, sizeof(newline) - 1);
	return 0;
}

/* NUL is @, as /proc/net/unix prints it; a path's own end is not part of it. */
static long replace_nul(__u32 i, struct line **line)
{
	__u64 at = AT_MOST(i, NAME_ROOM - 1);

	if (!(*line)->source[at])
		(*line)->source[at] = '@';
	return 0;
}

static __always_inline __u32 unix_name(struct subject *s, struct line *line)
{
	__u64 length = AT_MOST(s->name.head.length - sizeof(s->name.head), NAME_ROOM);

	bpf_probe_read_kernel(line->source, length, s->name.bytes);
	if (length && line->source[0] && !line->source[(length - 1) & (NAME_ROOM - 1)])
		length--;
	bpf_loop(length, replace_nul, &line, 0);
	return length;
}

static __always_inline void print_columns(struct seq_file *seq, struct subject *s, struct line *line)
{
	struct fdinfo_record *r = &s->record;
	__u64 type = AT_MOST(r->type, FDINFO_ANON);

	PRINT(seq, numbers, r->pid, r->tid);
	/* padded beforehand: a name that is longer for its escapes moves what follows */
	__builtin_memset(line->bytes, ' ', COMM_ROOM);
	bpf_probe_read_kernel(line->source, COMM_ROOM, r->command);
	line->used = 0;
	line->escape_blanks = 1;
	escape(seq, line, length_of_command(r->command));
	if (line->used < COMM_ROOM - 1)
		line->used = COMM_ROOM - 1;
	write_line(seq, line);
	PRINT(seq, facts, r->fd, (__u64)type_names[type], (__u64)access_names[r->bits & 3], r->dev >> 20,
	      r->dev & 0xfffff, r->inode);
	line->escape_blanks = 0;
}

SEC("iter/task_file")
int text_fds(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task;
	struct file *open_file = ctx->file, *file;
	struct subject *s;
	struct line *line;
	long length;

	if (ctx->meta->seq_num == 0)
		bpf_seq_write(seq, heading, sizeof(heading) - 1);
	if (!task || !open_file)
		return 0;
	s = subject_of(caller);
	line = line_of(caller);
	if (!s || !line)
		return 1;
	caller = plain(caller);
	task = plain(task);
	if (!may_read_by(seq, caller, task) || !begin(s, caller, task))
		return 0;
	file = CAST(open_file, struct file);
	s->private_data = (__u64)file->private_data;
	s->record.fd = ctx->fd;
	s->record.bits = file->f_mode & (FMODE_READ | FMODE_WRITE);
	describe_inode(s, file->f_inode, file->f_path.dentry, file->f_path.mnt);
	if (s->magic == SOCKFS_MAGIC && !(file->f_mode & FMODE_PATH) && s->private_data)
		read_socket(s);
	print_columns(seq, s, line);
	if (s->class_size == sizeof(struct fdinfo_inet) && s->class.inet.head.type == FDINFO_A_INET) {
		print_inet(seq, s);
		return 0;
	}
	if (s->record.type == FDINFO_UNIX && s->name_size)
		length = unix_name(s, line);
	else
		length = bpf_d_path(&open_file->f_path, line->source, SOURCE_ROOM) - 1;
	if (length > 0)
		escape(seq, line, length);
	end_line(line);
	write_line(seq, line);
	return 0;
}
