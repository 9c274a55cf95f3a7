/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * kernel.h - the slices of kernel types that the programs touch.
 *
 * Only names and member types matter: offsets and sizes are relocated at load
 * time against the running kernel's BTF (CO-RE). A generated vmlinux.h has
 * 130,000 lines, and every type name in an object costs the kernel a search
 * through its own; these few lines load several times faster.
 *
 * A suffix of three underscores makes a flavour: another layout of the same
 * kernel type, for a version that had or will have it.
 */
#ifndef FDMAP_KERNEL_H
#define FDMAP_KERNEL_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#define FDMAP_TYPES_DEFINED

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* include/uapi/linux/bpf.h; the header itself would bring 400 types along */
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_TASK_STORAGE 29
#define BPF_F_NO_PREALLOC 1
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1

/* include/uapi/asm-generic/errno-base.h and errno.h */
#define EPERM 1
#define ESRCH 3
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EBUSY 16
#define EINVAL 22
#define EOPNOTSUPP 95

#define PF_KTHREAD 0x00200000		/* include/linux/sched.h */
#define CAP_SYS_PTRACE 19		/* include/uapi/linux/capability.h */
#define SUID_DUMP_USER 1		/* include/linux/sched/coredump.h */
#define MMF_DUMPABLE_MASK 3

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

/* u32 cap[2] until 6.2, u64 val since (f122a08b197d); the same eight bytes */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
};

/* gid[] is sorted (groups_sort() in kernel/groups.c) */
struct group_info {
	int ngroups;
	kgid_t gid[1];
};

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	void *security;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};

struct dentry;
struct inode;
struct vfsmount;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	void *private_data;
	struct inode *f_inode;
	const struct cred *f_cred;
	struct path f_path;
	long long f_pos;
};

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct mm_struct {
	unsigned long flags;
	struct user_namespace *user_ns;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct signal_struct {
	struct pid *pids[4];
};

struct task_struct {
	unsigned int flags;
	struct mm_struct *mm;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	const struct cred *real_cred;
	const struct cred *cred;
	struct files_struct *files;
	struct signal_struct *signal;
};

struct seq_file {
	const struct file *file;
};

#pragma clang attribute pop

/*
 * What an iterator's program is given: an interface of the kernel (include/linux/bpf.h,
 * __bpf_md_ptr), which has not changed since 5.8 and needs no relocation.
 */
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

/* include/linux/pid.h: index of signal_struct.pids[] */
enum { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };

/* Functions of the kernel itself. Those that may be missing are called under `config` alone. */
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;	 /* 6.2 */
extern struct task_struct *bpf_task_from_vpid(__s32 pid) __ksym __weak; /* 6.13 */
extern void bpf_task_release(struct task_struct *p) __ksym __weak;	 /* 6.2 */
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym __weak;
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;	 /* 6.2 */
extern void bpf_rcu_read_lock(void) __ksym __weak;			 /* 6.2 */
extern void bpf_rcu_read_unlock(void) __ksym __weak;

/* Open-coded task iterator, 6.7 (c68a78ffe2cb). */
struct bpf_iter_task {
	__u64 __opaque[3];
} __attribute__((aligned(8)));

enum { BPF_TASK_ITER_ALL_PROCS, BPF_TASK_ITER_ALL_THREADS, BPF_TASK_ITER_PROC_THREADS };

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) __ksym __weak;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym __weak;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym __weak;

#endif
