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

struct signal_struct___status {
	int nr_threads;
	struct pid *pids[4];
	struct tty_struct *tty;
	struct rlimit rlim[16];
};

struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};

struct timens_offsets {
	struct timespec64 boottime;
};

struct time_namespace {
	struct timens_offsets offsets;
};

struct nsproxy {
	struct time_namespace *time_ns;
};

struct task_struct___status {
	unsigned int __state;
	int exit_state;
	unsigned int flags;
	__u64 start_boottime;
	struct nsproxy *nsproxy;
	struct signal_struct___status *signal;
	char comm[TASK_COMM_LEN];
};

#pragma clang attribute pop

#endif
