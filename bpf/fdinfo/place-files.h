/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* place-files.h - the slices of kernel types behind cwd, root, exe and mappings. */
#ifndef FDMAP_PLACE_FILES_H
#define FDMAP_PLACE_FILES_H

#include "kernel-files.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct fs_struct {
	struct path root;
	struct path pwd;
};

struct mm_struct___exe {
	struct file *exe_file;
};

struct task_struct___fs {
	struct fs_struct *fs;
	struct mm_struct___exe *mm;
};

struct dentry___inode {
	struct inode *d_inode;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

#pragma clang attribute pop

#endif
