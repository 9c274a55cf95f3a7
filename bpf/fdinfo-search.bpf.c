// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Which processes have a descriptor of this file, port or number: a walk over
 * their tables, a tenth of what the iterator of descriptors costs, which takes
 * and drops a reference to each file. What is found is then asked for process
 * by process (fdinfo.bpf.c). A record for each process with a match, one for each
 * that the caller may not look into, as the stream of descriptors has it.
 */
#include "kernel.h"
#include "fdmap.h"
#include "hidepid.bpf.h"
#include "pidns.bpf.h"
#include "fdinfo/match.bpf.h"
#include "fdinfo/place-files.h"
#include "fdinfo/request.bpf.h"

#define TABLE_READ(pointer, member) READ(pointer, member)

#include "table.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fdinfo_request);
} searches SEC(".maps");

static __always_inline struct fdinfo_request *search_of(struct task_struct *caller)
{
	return bpf_task_storage_get(&searches, caller, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

SEC("syscall")
int search_request(struct fdinfo_request *ctx)
{
	return take_request(ctx, search_of(bpf_get_current_task_btf()));
}

/* Addresses as numbers, so that the verifier need not follow them through the loops. */
struct walk {
	struct fdinfo_request q;
	__u64 slots;	/* struct file *[] */
	__u64 words;	/* open_fds */
	__u64 word;
	__u32 base;
	bool any;	/* is anything open? */
	bool only_any;	/* nothing else is asked */
	bool changed;	/* the table was replaced under the walk */
	__u32 found;	/* no bool, which a callback could not return: the verifier does not know that it is 0 or 1 */
};

/* By a helper: what a load gives where a pointer is expected is one to the verifier, and no bitmap. */
static __always_inline __u64 load_word(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

static __always_inline struct file *load_slot(__u64 address)
{
	/* any type of the kernel's that begins with a pointer will do */
	return CAN_CAST ? (void *)CAST((void *)address, struct list_head)->next : (void *)load_word(address);
}

static long look_at_slot(__u32 i, struct walk *walk)
{
	__u64 slot = walk->slots + (walk->base + i) * 8ULL;
	struct file *seen, *file;
	struct inode *inode;

	if (!(walk->word >> (i & 63) & 1))
		return 0;
	if (walk->q.filters & FDINFO_BY_FD && walk->q.fd != walk->base + i)
		return 0;
	/* reserved and not yet installed: 0 */
	seen = load_slot(slot);
	if (!seen)
		return 0;
	file = CAST(seen, struct file);
	inode = READ(file, f_inode);
	if (!inode)
		return 0;
	/* Files are used again within RCU (SLAB_TYPESAFE_BY_RCU): is it still this descriptor's? */
	if (ruled_out(&walk->q, file, CAST(inode, struct inode)) || load_slot(slot) != seen)
		return 0;
	walk->found = 1;
	return 1;
}

static long look_at_word(__u32 i, struct walk *walk)
{
	walk->word = load_word(walk->words + i * 8ULL);
	if (!walk->word)
		return 0;
	walk->any = true;
	if (walk->only_any)
		return 1;
	walk->base = i * 64;
	bpf_loop(64, look_at_slot, walk, 0);
	return walk->found != 0;
}

/* 1 << 20 is the most that sysctl fs.nr_open lets a table have by default; 1 << 30 the most there is. */
#define MOST_WORDS (1U << 23)

static __always_inline void walk_table(struct task_struct *task, struct walk *walk)
{
	struct table table;
	struct fdtable *fdt;

	if (!table_of(task, &table))
		return;
	fdt = table.fdt;
	walk->slots = (__u64)READ(fdt, fd);
	walk->words = (__u64)READ(fdt, open_fds);
	bpf_loop(AT_MOST((table.size + 63) / 64, MOST_WORDS), look_at_word, walk, 0);
	/* What was walked may have become another process's meanwhile: nothing is told of that. */
	if (!table_unchanged(task, &table)) {
		walk->found = 0;
		walk->any = false;
		walk->changed = true;
	}
}

static __noinline int write_match(struct seq_file *seq, __s32 pid, __u32 where)
{
	struct fdinfo_match match = {
		.head = {
			.size = sizeof(match),
			.kind = FDINFO_KIND_MATCH,
			.fixed = sizeof(match),
			.version = FDMAP_FORMAT,
		},
		.pid = pid,
		.where = where,
	};

	bpf_seq_write(seq, &match, sizeof(match));
	return 0;
}

static __noinline int write_hidden(struct seq_file *seq)
{
	struct fdmap_record hidden = {
		.size = sizeof(hidden),
		.kind = FDINFO_KIND_HIDDEN,
		.fixed = sizeof(hidden),
		.version = FDMAP_FORMAT,
	};

	bpf_seq_write(seq, &hidden, sizeof(hidden));
	return 0;
}

/* A number or a port is of a descriptor; a place has a file alone. */
static __always_inline bool holds_place(const struct fdinfo_request *q, struct path *path)
{
	struct dentry___inode *dentry = (void *)READ(path, dentry);
	struct inode *inode = dentry ? READ(dentry, d_inode) : NULL;

	return inode && !ruled_out(q, NULL, CAST(inode, struct inode));
}

static __always_inline bool in_places(const struct fdinfo_request *q, struct task_struct *task)
{
	struct task_struct___fs *with = (void *)task;
	struct fs_struct *fs = READ(with, fs);
	struct mm_struct___exe *mm = READ(with, mm);
	struct file *exe = mm ? READ(mm, exe_file) : NULL;

	bool held = (fs && (holds_place(q, &fs->pwd) || holds_place(q, &fs->root))) ||
		    (exe && holds_place(q, &exe->f_path));

	/* Neither is freed by RCU: of a task that is leaving they may be another one's by now. */
	return held && READ(with, fs) == fs && READ(with, mm) == mm;
}

SEC("iter/task")
int search_files(struct bpf_iter__task *ctx)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task, *leader;
	struct seq_file *seq = ctx->meta->seq;
	const struct fdinfo_request *q;
	struct walk walk = {};
	struct pidns ns;
	__u32 where;
	__s32 pid;
	bool first;

	if (!task)
		return 0;
	q = search_of(caller);
	if (!q)
		return 1;
	walk.q = *q;
	caller = plain(caller);
	task = plain(task);
	leader = plain(task->group_leader);
	first = task->pid == task->tgid;
	/* as task_file_seq_get_next() of kernel/bpf/task_iter.c: a table that threads share is its first one's */
	if (!first && task->files == leader->files)
		return 0;
	if (!may_read_by(seq, caller, task)) {
		if (!first || unseen_by(seq, caller))
			return 0;
		walk.only_any = true;
		walk_table(task, &walk);
		return walk.any ? write_hidden(seq) : 0;
	}
	if (other_process(&walk.q, task))
		return 0;
	walk_table(task, &walk);
	/* A table that grew meanwhile is looked at by who reads its records. */
	where = walk.found || walk.changed ? FDINFO_MATCH_FILES : 0;
	if (first && walk.q.want & FDINFO_WANT_PLACES && !(walk.q.filters & (FDINFO_BY_FD | FDINFO_BY_PORT)) &&
	    in_places(&walk.q, task))
		where |= FDINFO_MATCH_PLACES;
	if (!where || !pidns_of(caller, &ns))
		return 0;
	pid = tgid_in(task, &ns);
	return pid > 0 ? write_match(seq, pid, where) : 0;
}

SEC("iter/task_vma")
int search_mappings(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct fdinfo_request *q;
	struct inode *inode;
	struct file *file;
	struct pidns ns;
	__s32 pid;

	if (!task || !vma)
		return 0;
	vma = CAST(vma, struct vm_area_struct);
	file = READ(vma, vm_file);
	if (!file)
		return 0;
	q = search_of(caller);
	if (!q)
		return 1;
	file = CAST(file, struct file);
	inode = READ(file, f_inode);
	if (!inode || q->filters & (FDINFO_BY_FD | FDINFO_BY_PORT) || ruled_out(q, file, CAST(inode, struct inode)))
		return 0;
	caller = plain(caller);
	task = plain(task);
	if (other_process(q, task) || !may_read_by(ctx->meta->seq, caller, task) || !pidns_of(caller, &ns))
		return 0;
	pid = tgid_in(task, &ns);
	return pid > 0 ? write_match(ctx->meta->seq, pid, FDINFO_MATCH_MAPPINGS) : 0;
}
