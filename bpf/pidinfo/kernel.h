/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * kernel.h - what pidinfo reads beyond ../kernel.h. Flavours of types that are
 * there (the suffix is not compared): the same kernel type, other members.
 */
#ifndef FDMAP_PIDINFO_KERNEL_H
#define FDMAP_PIDINFO_KERNEL_H

#include "../kernel.h"

#define TASK_COMM_LEN 16
#define RLIMIT_NOFILE 7		/* include/uapi/asm-generic/resource.h */
#define MAX_RT_PRIO 100		/* include/linux/sched/prio.h */
#define DEFAULT_PRIO 120
#define OVERFLOW_ID 65534	/* include/linux/highuid.h */
#define UID_GID_MAP_MAX_BASE_EXTENTS 5
#define UID_GID_MAP_MAX_EXTENTS 340

/* include/linux/mm_types_task.h */
enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES, NR_MM_COUNTERS };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
};

struct tty_driver {
	int major;
	int minor_start;
};

struct tty_struct {
	int index;
	struct tty_driver *driver;
};

struct prev_cputime {
	__u64 utime;
	__u64 stime;
};

struct task_io_accounting {
	__u64 read_bytes;
	__u64 write_bytes;
};

struct signal_struct___status {
	int nr_threads;
	struct list_head thread_head;
	struct pid *pids[4];
	struct tty_struct *tty;
	__u64 utime;
	__u64 stime;
	struct prev_cputime prev_cputime;
	unsigned long min_flt;
	unsigned long maj_flt;
	struct task_io_accounting ioac;
	unsigned long long sum_sched_runtime;
	struct rlimit rlim[16];
	short oom_score_adj;
};

struct ns_common {
	unsigned int inum;
};

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct pid_namespace {
	struct ns_common ns;
};

struct css_set;

struct cgroup_namespace {
	struct ns_common ns;
	struct css_set *root_cset;
};

struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};

struct timens_offsets {
	struct timespec64 boottime;
};

struct time_namespace {
	struct ns_common ns;
	struct timens_offsets offsets;
};

struct uid_gid_extent {
	__u32 first;
	__u32 lower_first;
	__u32 count;
};

struct uid_gid_map {
	struct uid_gid_extent extent[UID_GID_MAP_MAX_BASE_EXTENTS];
	__u32 nr_extents;
	struct uid_gid_extent *forward;
};

struct user_namespace___status {
	struct uid_gid_map uid_map;
	struct uid_gid_map gid_map;
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct time_namespace *time_ns_for_children;
	struct cgroup_namespace *cgroup_ns;
};

struct kernfs_node {
	__u64 id;
	const char *name;
};

struct cgroup_subsys_state {
	unsigned int flags;
};

/* ancestors[] since 6.1 (7f203bc89eb6): from the root of the hierarchy to the cgroup itself */
struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[1];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

/* since 6.2 (f1a7941243c1); before, struct mm_rss_stat */
struct percpu_counter {
	__s64 count;
};

struct mm_rss_stat {
	struct {
		__s64 counter;
	} count[NR_MM_COUNTERS];
};

struct mm_struct___status {
	unsigned long total_vm;
	struct percpu_counter rss_stat[NR_MM_COUNTERS];
};

struct mm_struct___v6_1 {
	struct mm_rss_stat rss_stat;
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct thread_info {
	__u32 cpu;
};

struct task_struct___status {
	struct thread_info thread_info;
	unsigned int __state;
	int exit_state;
	unsigned int flags;
	int prio;
	int static_prio;
	struct sched_entity se;
	unsigned int policy;
	struct mm_struct___status *mm;
	struct list_head thread_node;
	__u64 utime;
	__u64 stime;
	struct prev_cputime prev_cputime;
	__u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	struct task_io_accounting ioac;
	struct nsproxy *nsproxy;
	struct signal_struct___status *signal;
	struct css_set *cgroups;
	char comm[TASK_COMM_LEN];
};

#pragma clang attribute pop

#endif
