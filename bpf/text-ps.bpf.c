// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Every process that the reader knows of, a line each, for shells without any
 * program of ours: what `fdmap install --text` pins as `ps`. Columns and escapes:
 * docs/abi.md. What stands in them is what stat, status and limits below
 * /proc/PID tell everybody.
 */
#include "kernel.h"
#include "fdmap.h"
#include "hidepid.bpf.h"

#define RECORD_BYTES 4096
#define NAMED_PIDS 2
#define USED(task, member) BPF_CORE_READ(task, member)

#include "pidinfo/record.bpf.h"
#include "text.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct slot);
} requests SEC(".maps");

/* The record of exactly these groups, which add_record() writes in this order. */
struct row {
	struct pidinfo_record record;
	struct pidinfo_status status;
	struct pidinfo_creds creds;
	struct pidinfo_files files;
	struct pidinfo_limit limit;
	struct pidinfo_memory memory;
};

#define GROUPS                                                                                     \
	(1ULL << PIDINFO_STATUS | 1ULL << PIDINFO_CREDS | 1ULL << PIDINFO_FILES | 1ULL << PIDINFO_LIMIT | \
	 1ULL << PIDINFO_MEMORY)

TEXT(heading, "    PID    PPID        UID STATE THREADS     FDS    FDLIMIT          RSS    STARTTIME COMMAND\n");
TEXT(facts, "%7d %7d %10u %-5s %7u %7u %10s %12llu %12llu ");
TEXT(facts_limited, "%7d %7d %10u %-5s %7u %7u %10llu %12llu %12llu ");
TEXT(unlimited, "unlimited");

/* get_task_state() in fs/proc/array.c; the highest bit of TASK_REPORT that is set. */
static const char states[][2] SEC(".rodata.text") = { "R", "S", "D", "T", "t", "X", "Z", "P", "I" };

#define TASK_REPORT 0x7f
#define TASK_IDLE 0x402
#define TASK_RTLOCK_WAIT 0x1000
#define TASK_FROZEN 0x8000
#define STATE_D 2
#define STATE_I 8

static __always_inline __u32 state_index(__u32 state)
{
	__u32 report = state & TASK_REPORT, index = 0;

	if ((state & TASK_IDLE) == TASK_IDLE)
		return STATE_I;
	if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN))
		return STATE_D;
	for (int i = 0; i < 7; i++)
		index += report >> i != 0;
	return index;
}

#define CLOCK_TICK_NS 10000000	/* USER_HZ is 100 */

static __always_inline void print_row(struct seq_file *seq, struct row *row, struct line *line)
{
	__u64 state = AT_MOST(state_index(row->status.state), STATE_I);
	__u64 started = row->record.start_time / CLOCK_TICK_NS * 10;

	if (row->limit.soft == ~0ULL)
		PRINT(seq, facts, row->record.pid, row->status.ppid, row->creds.euid, (__u64)states[state],
		      row->status.threads, row->files.count, (__u64)unlimited, row->memory.rss, started);
	else
		PRINT(seq, facts_limited, row->record.pid, row->status.ppid, row->creds.euid, (__u64)states[state],
		      row->status.threads, row->files.count, row->limit.soft, row->memory.rss, started);
	bpf_probe_read_kernel(line->source, COMM_ROOM, row->status.command);
	line->used = 0;
	line->escape_blanks = 0;
	escape(seq, line, length_of_command((const char *)row->status.command));
	end_line(line);
	write_line(seq, line);
}

SEC("iter/task")
int text_ps(struct bpf_iter__task *ctx)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct pidns ns = {};
	struct slot *slot;
	struct line *line;
	struct row *row;

	if (ctx->meta->seq_num == 0)
		bpf_seq_write(seq, heading, sizeof(heading) - 1);
	if (!task)
		return 0;
	slot = bpf_task_storage_get(&requests, caller, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	line = line_of(caller);
	if (!slot || !line)
		return 1;
	caller = plain(caller);
	task = plain(task);
	if (task->pid != task->tgid)
		return 0;
	if (under_policy_of(seq, caller) && !may_read_by(seq, caller, task))
		return 0;
	slot->mask = GROUPS;
	slot->flags = 0;
	slot->used = 0;
	slot->stored = 0;
	slot->room = RECORD_BYTES;
	if (!begin_answer(slot, caller) || !pidns_of(caller, &ns))
		return 0;
	if (add_record(slot, caller, task, &ns))
		return 0;
	end_answer(slot);
	row = (void *)slot->records;
	if (row->record.pid > 0)
		print_row(seq, row, line);
	return 0;
}

_Static_assert(sizeof(struct row) <= RECORD_BYTES, "row");
