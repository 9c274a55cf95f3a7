/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * table.bpf.h - the open_fds bitmap of a task's descriptor table.
 *
 * Nothing here is locked. A table that grows is replaced and the old one freed
 * after RCU; a files_struct is freed at once (put_files_struct() in fs/file.c).
 * So the pointers are read again after the copy: while the task still points to
 * the same files_struct, and that to the same fdtable, what was copied was theirs.
 */
#ifndef FDMAP_TABLE_BPF_H
#define FDMAP_TABLE_BPF_H

#include "kernel.h"

/*
 * A member of what the caller does not hold. By a helper, which any kernel has and
 * any pointer will do for; a program whose `task` is plain() defines it as a load,
 * for a tenth of the time of a call.
 */
#ifndef TABLE_READ
#define TABLE_READ(pointer, member) BPF_CORE_READ(pointer, member)
#endif

struct table {
	struct files_struct *files;
	struct fdtable *fdt;
	unsigned int size;
};

/* False: no table (kernel thread, exiting). */
static __always_inline bool table_of(struct task_struct *task, struct table *table)
{
	struct files_struct *files = TABLE_READ(task, files);
	struct fdtable *fdt;

	if (!files)
		return false;
	fdt = TABLE_READ(files, fdt);
	if (!fdt)
		return false;
	table->files = files;
	table->fdt = fdt;
	table->size = TABLE_READ(fdt, max_fds);
	return true;
}

static __always_inline unsigned long *open_fds_of(const struct table *table)
{
	struct fdtable *fdt = table->fdt;

	return TABLE_READ(fdt, open_fds);
}

static __always_inline bool table_unchanged(struct task_struct *task, const struct table *table)
{
	struct files_struct *files;
	__u64 fence = 0;

	/* keep the second look behind the copy, on every architecture */
	__sync_fetch_and_add(&fence, 1);
	files = TABLE_READ(task, files);
	return files == table->files && TABLE_READ(files, fdt) == table->fdt;
}

#endif
