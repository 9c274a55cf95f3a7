/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * kernel-files.h - the slices of kernel types behind descriptors, as kernel.h
 * has those of processes. What is common to all files stands here; what one
 * class alone needs is in its header.
 */
#ifndef FDMAP_KERNEL_FILES_H
#define FDMAP_KERNEL_FILES_H

#include "../kernel.h"
#include "../filesystems.h"

/* include/linux/fs.h */
#define O_CLOEXEC 02000000
#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_PATH 0x4000

/* The same on every version, so that no search of the kernel's BTF is spent on them. */
struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
};

struct rb_node {
	unsigned long parent_color;
	struct rb_node *right;
	struct rb_node *left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	const unsigned char *name;
};

struct super_block;
struct pipe_inode_info;
struct file_lock_context;

struct vfsmount {
	int mnt_flags;
};

struct mount {
	struct vfsmount mnt;
	int mnt_id;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	unsigned long i_ino;
	unsigned int i_nlink;
	unsigned int i_rdev;
	long long i_size;
	struct super_block *i_sb;
	struct file_lock_context *i_flctx;
	struct pipe_inode_info *i_pipe;
	void *i_private;
};

struct task_struct___command {
	char comm[16];
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
