/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* place.bpf.h - what a process holds without a descriptor: fs_struct, exe_file, mappings. */
#ifndef FDMAP_PLACE_BPF_H
#define FDMAP_PLACE_BPF_H

#include "describe.bpf.h"
#include "place-files.h"

/* include/linux/mm.h */
#define VM_READ 1
#define VM_WRITE 2
#define VM_EXEC 4
#define VM_SHARED 8

/* Describes the file at `dentry`; false when the request does not want it. */
static __always_inline bool place(struct subject *s, struct vfsmount *mount, struct dentry *dentry)
{
	struct dentry___inode *at = (void *)dentry;

	if (!dentry || !mount || !at->d_inode || s->request.filters & FDINFO_BY_FD)
		return false;
	s->file = s->files = s->private_data = 0;
	s->file_mode = 0;
	describe_inode(s, at->d_inode, dentry, mount);
	s->name_size = 0;
	return wanted(s);
}

#endif
