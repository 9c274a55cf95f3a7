// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * fdinfo: every descriptor of every process, or of the one that a link names,
 * as a stream of records. A thread appears under its own number when it has a
 * table of its own; the iterator leaves out those that share the leader's.
 *
 * No lock of the target is taken and no file of it is touched: what is read may
 * change while it is read. Memory that was freed reads as whatever it holds by
 * then, so pointers that may be replaced are looked at once more before what
 * lies behind them is told.
 */
#include "kernel.h"
#include "fdmap.h"
#include "hidepid.bpf.h"
#include "fdinfo/classes.bpf.h"
#include "fdinfo/match.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("syscall")
int fdinfo_request(struct fdinfo_request *ctx)
{
	return take_subject_request(ctx);
}

/* Open numbers below this one? Looks at the word that holds it, and at those before it. */
struct search {
	unsigned long *words;
	bool found;
};

static long look(__u32 i, struct search *search)
{
	unsigned long word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), search->words + i);
	search->found = word != 0;
	return search->found;
}

static __noinline bool first_of_table(struct task_struct *task, __u32 fd)
{
	struct files_struct *files = BPF_CORE_READ(task, files);
	struct fdtable *fdt = files ? BPF_CORE_READ(files, fdt) : NULL;
	struct search search = {};
	unsigned long word = 0;

	if (!fdt)
		return false;
	search.words = BPF_CORE_READ(fdt, open_fds);
	bpf_probe_read_kernel(&word, sizeof(word), search.words + fd / 64);
	if (word & ((1ULL << (fd & 63)) - 1))
		return false;
	bpf_loop(fd / 64, look, &search, 0);
	return !search.found;
}

/* A process that the caller may not look into: counted once, at its first descriptor, and not named. */
static __noinline int count_hidden(struct seq_file *seq, struct task_struct *task, __u32 fd)
{
	struct fdmap_record hidden = {
		.size = sizeof(hidden),
		.kind = FDINFO_KIND_HIDDEN,
		.fixed = sizeof(hidden),
		.version = FDMAP_FORMAT,
	};

	if (BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid) && first_of_table(task, fd))
		bpf_seq_write(seq, &hidden, sizeof(hidden));
	return 0;
}

static __always_inline bool is_cloexec(struct task_struct *task, __u32 fd)
{
	struct files_struct *files = task->files;
	struct fdtable *fdt = files ? files->fdt : NULL;
	unsigned long word = 0;

	if (!fdt || fd >= fdt->max_fds)
		return false;
	bpf_probe_read_kernel(&word, sizeof(word), fdt->close_on_exec + fd / 64);
	return word >> (fd & 63) & 1;
}

SEC("iter/task_file")
int fdinfo_files(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *caller = bpf_get_current_task_btf(), *task = ctx->task;
	struct file *open_file = ctx->file, *file;
	__u32 fd = ctx->fd, want;
	struct fdinfo_record *r;
	struct subject *s;

	if (!task || !open_file)
		return 0;
	s = subject_of(caller);
	/* For want of memory, or of a lock that another thread holds for a moment (before 6.2): once more. */
	if (!s)
		return 1;
	use_default(&s->request);
	caller = plain(caller);
	task = plain(task);
	if (!may_read_by(seq, caller, task))
		return unseen_by(seq, caller) ? 0 : count_hidden(seq, task, fd);
	if (s->request.filters & FDINFO_BY_FD && s->request.fd != fd)
		return 0;
	file = CAST(open_file, struct file);
	if (other_process(&s->request, task) || ruled_out(&s->request, file, file->f_inode) || !begin(s, caller, task))
		return 0;

	r = &s->record;
	s->file = (__u64)file;
	s->files = (__u64)task->files;
	s->private_data = (__u64)file->private_data;
	s->file_mode = file->f_mode;
	r->fd = fd;
	describe_inode(s, file->f_inode, file->f_path.dentry, file->f_path.mnt);
	r->flags = (file->f_flags & ~O_CLOEXEC) | (is_cloexec(task, fd) ? O_CLOEXEC : 0);
	r->pos = file->f_pos;
	r->bits |= s->file_mode & (FMODE_READ | FMODE_WRITE);
	r->head.mask |= FDINFO_HAS_FLAGS | FDINFO_HAS_POS | FDINFO_HAS_ACCESS;
	if (s->magic == SOCKFS_MAGIC && !(s->file_mode & FMODE_PATH) && s->private_data)
		read_socket(s);
	if (!wanted(s))
		return 0;

	r->file_id = IDENTITY(s->file);
	r->head.mask |= FDINFO_HAS_FILE_ID;
	if (r->tid != r->pid) {
		r->table = IDENTITY(s->files);
		r->head.mask |= FDINFO_HAS_TABLE;
	}
	want = s->request.want;
	keep_name(s, file->f_path.dentry);
	if (want & FDINFO_WANT_PATH && has_path(s))
		set_path(s, bpf_d_path(&open_file->f_path, s->path.bytes, PATH_ROOM));
	if (s->file_mode & FMODE_PATH || !(want & FDINFO_WANT_CLASS))
		goto out;
	describe_class(seq, s);
	if (want & FDINFO_WANT_LOCKS && 1ULL << r->type & LOCKABLE)
		read_locks(seq, s);
out:
	flush(seq, s);
	return 0;
}
