// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * fdinfo of what a process holds without a descriptor: its working directory,
 * its root, its program and the files that it has mapped. Records as those of
 * descriptors; no lock of the target is taken.
 */
#include "kernel.h"
#include "fdmap.h"
#include "access.bpf.h"
#include "fdinfo/place.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("syscall")
int places_request(struct fdinfo_request *ctx)
{
	return take_subject_request(ctx);
}

/* A record begun, where the caller may look; not counted as hidden, which the descriptors' stream does. */
static __always_inline struct subject *begin_place(struct seq_file *seq, struct subject *s, struct task_struct *task,
						   __s32 fd)
{
	struct task_struct *caller = plain(bpf_get_current_task_btf());

	if (!may_read_by(seq, caller, task) || !begin(s, caller, task))
		return NULL;
	use_default(&s->request);
	s->record.fd = fd;
	return s;
}

static __always_inline void finish_place(struct seq_file *seq, struct subject *s, long length)
{
	set_path(s, length);
	flush(seq, s);
}

/*
 * The same, unless the task has let go of what the place was read from: neither
 * fs_struct nor mm_struct is freed by RCU (exit_fs(), exit_mm()), so that behind
 * the old pointer there may be another process's by now.
 */
#define FINISH_HELD(seq, s, path_of, member, seen)                                      \
	({                                                                              \
		long held_length = bpf_d_path(path_of, (s)->path.bytes, PATH_ROOM);     \
										        \
		loads_in_order();                                                       \
		if ((member) == (seen))                                                 \
			finish_place(seq, s, held_length);                              \
	})

SEC("iter/task")
int fdinfo_places(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task, *readable;
	struct task_struct___fs *held;
	struct fs_struct *fs, *seen_fs;
	struct mm_struct___exe *mm, *seen_mm;
	struct file *exe, *seen_exe;
	struct subject *s;

	if (!task)
		return 0;
	s = subject_of(bpf_get_current_task_btf());
	if (!s)
		return 1;
	readable = plain(task);
	/* Threads share these nearly always; where they do not, the first thread's count. */
	if (readable->pid != readable->tgid)
		return 0;
	/* bpf_d_path() wants pointers that the verifier followed; what is read goes by others (compat.bpf.h). */
	held = (struct task_struct___fs *)readable;
	fs = ((struct task_struct___fs *)task)->fs;
	seen_fs = held->fs;
	if (fs && seen_fs) {
		if (begin_place(seq, s, readable, FDINFO_FD_CWD) && place(s, seen_fs->pwd.mnt, seen_fs->pwd.dentry))
			FINISH_HELD(seq, s, &fs->pwd, held->fs, seen_fs);
		if (begin_place(seq, s, readable, FDINFO_FD_ROOT) && place(s, seen_fs->root.mnt, seen_fs->root.dentry))
			FINISH_HELD(seq, s, &fs->root, held->fs, seen_fs);
	}
	mm = ((struct task_struct___fs *)task)->mm;
	seen_mm = held->mm;
	if (!mm || !seen_mm)
		return 0;
	exe = mm->exe_file;
	seen_exe = seen_mm->exe_file;
	if (exe && seen_exe && begin_place(seq, s, readable, FDINFO_FD_EXE) &&
	    place(s, seen_exe->f_path.mnt, seen_exe->f_path.dentry))
		FINISH_HELD(seq, s, &exe->f_path, held->mm, seen_mm);
	return 0;
}

SEC("iter/task_vma")
int fdinfo_mappings(struct bpf_iter__task_vma *ctx)
{
	struct vm_area_struct *vma = ctx->vma, *seen;
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file, *seen_file;
	struct subject *s;

	if (!task || !vma)
		return 0;
	seen = CAST(vma, struct vm_area_struct);
	file = vma->vm_file;
	seen_file = seen->vm_file;
	if (!file || !seen_file)
		return 0;
	s = subject_of(bpf_get_current_task_btf());
	if (!s)
		return 1;
	if (!begin_place(seq, s, plain(task), FDINFO_FD_MEM) || !place(s, seen_file->f_path.mnt, seen_file->f_path.dentry))
		return 0;
	s->file = (__u64)seen_file;
	s->record.file_id = IDENTITY(s->file);
	s->record.head.mask |= FDINFO_HAS_FILE_ID;
	ZERO_CLASS(s);
	SET_CLASS(s, mapping, FDINFO_A_MAPPING);
	if (bpf_core_field_exists(seen->vm_flags))
		s->class.mapping.protection = BPF_CORE_READ(seen, vm_flags) & (VM_READ | VM_WRITE | VM_EXEC | VM_SHARED);
	s->class.mapping.start = seen->vm_start;
	s->class.mapping.end = seen->vm_end;
	s->class.mapping.offset = (__u64)seen->vm_pgoff * config.page_size;
	finish_place(seq, s, bpf_d_path(&file->f_path, s->path.bytes, PATH_ROOM));
	return 0;
}
