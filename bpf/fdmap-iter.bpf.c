// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * fdmap(2) of another task through read(2): a task iterator whose link names
 * one thread (6.1). For kernels before 6.10, for callers in a nested pid
 * namespace before 6.13, and, with a link of every task, where bpf(2) is
 * forbidden and a pinned stream can only be opened and read. A link carries no arguments, so the first descriptor
 * is left in task storage of the calling thread by `fdmap_request` beforehand.
 */
#include "kernel.h"
#include "fdmap.h"
#include "hidepid.bpf.h"
#include "pidns.bpf.h"
#include "table.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Bitmap words carried over the stack at a time. */
#define CHUNK 32
/* One object of an iterator can write 32,767 bytes: bpf_seq_read() in kernel/bpf/bpf_iter.c */
#define CHUNKS ((32767 - sizeof(struct fdmap_head)) / (CHUNK * 8))

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __s32);
} first_wanted SEC(".maps");

SEC("syscall")
int fdmap_request(struct fdmap_head *ctx)
{
	__s32 *start;

	ctx->error = -EINVAL;
	if (ctx->abi != FDMAP_ABI || ctx->flags || ctx->start < 0)
		return 0;
	ctx->error = -ENOMEM;
	start = bpf_task_storage_get(&first_wanted, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!start)
		return 0;
	*start = ctx->start;
	ctx->error = 0;
	return 0;
}

struct writing {
	struct seq_file *seq;
	struct task_struct *task;
	const struct table *table;
	unsigned long *from;
	__u32 words;
	bool changed;
};

/* By bpf_loop(), which the verifier walks once, where a loop is walked to its end. */
static long write_chunk(__u32 i, struct writing *w)
{
	__u64 chunk[CHUNK];
	__u32 words = w->words - i * CHUNK;

	if (words > CHUNK)
		words = CHUNK;
	/* once the table is not theirs any more, what was read may be anything: it stays here */
	if (bpf_probe_read_kernel(chunk, words * 8, w->from + i * CHUNK) ||
	    !table_unchanged(w->task, w->table)) {
		w->changed = true;
		__builtin_memset(chunk, 0, sizeof(chunk));
	}
	return bpf_seq_write(w->seq, chunk, words * 8) != 0;
}

SEC("iter/task")
int fdmap_task(struct bpf_iter__task *ctx)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct fdmap_head head = { .abi = FDMAP_ABI };
	struct writing writing = {};
	struct task_struct *reader = plain(caller);
	struct table table = {};
	struct pidns ns;
	__s32 *start;

	if (!task || !pidns_of(reader, &ns))
		return 0;
	start = bpf_task_storage_get(&first_wanted, caller, NULL, 0);
	if (start)
		head.start = *start;
	head.pid = tid_in(plain(task), &ns);
	if (head.pid <= 0)
		return 0;
	if (!may_read_by(seq, reader, plain(task))) {
		/* the numbers of processes remain visible under hidepid=1, those of threads do not */
		if (under_policy_of(seq, reader) &&
		    (config.hidepid != HIDEPID_NO_ACCESS || task->pid != task->tgid))
			return 0;
		head.error = -EACCES;
	} else if (table_of(task, &table)) {
		__u32 first = (__u32)head.start / 64, count = (table.size + 63) / 64;

		head.base = first * 64;
		head.size = table.size;
		if (first < count) {
			count -= first;
			head.words = count < CHUNK * CHUNKS ? count : CHUNK * CHUNKS;
		}
	}
	if (bpf_seq_write(seq, &head, sizeof(head)) || !head.words)
		return 0;
	writing.seq = seq;
	writing.task = task;
	writing.table = &table;
	writing.from = open_fds_of(&table) + head.base / 64;
	writing.words = head.words;
	bpf_loop((head.words + CHUNK - 1) / CHUNK, write_chunk, &writing, 0);
	/* what follows says whether the words are those of this task's table */
	head.error = writing.changed ? -EAGAIN : 0;
	bpf_seq_write(seq, &head, sizeof(head));
	return 0;
}
