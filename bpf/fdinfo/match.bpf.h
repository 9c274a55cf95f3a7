/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * match.bpf.h - is a file one that was asked for, by a few loads? What this
 * lets through may still be none: it is looked at once it is described.
 */
#ifndef FDMAP_MATCH_BPF_H
#define FDMAP_MATCH_BPF_H

#include "kernel-files.h"
#include "../compat.bpf.h"

/* include/linux/socket.h */
#define MATCH_AF_INET 2
#define MATCH_AF_INET6 10

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock_common___ports {
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
};

struct sock___ports {
	struct sock_common___ports __sk_common;
};

struct socket___ports {
	struct sock___ports *sk;
};

#pragma clang attribute pop

#define SOCKET_TYPES                                                                                 \
	(1ULL << FDINFO_TCP | 1ULL << FDINFO_UDP | 1ULL << FDINFO_UDPLITE | 1ULL << FDINFO_RAW |       \
	 1ULL << FDINFO_PING | 1ULL << FDINFO_UNIX | 1ULL << FDINFO_NETLINK | 1ULL << FDINFO_PACKET |  \
	 1ULL << FDINFO_VSOCK | 1ULL << FDINFO_SOCKET)

/* Types that a descriptor can be of, by the mode of its inode: what has a mode of its own, and all others. */
static __always_inline __u64 types_with(__u32 mode)
{
	const __u64 dir = 1ULL << FDINFO_DIR, symlink = 1ULL << FDINFO_SYMLINK, block = 1ULL << FDINFO_BLOCK,
		    character = 1ULL << FDINFO_CHAR, fifo = 1ULL << FDINFO_PIPE | 1ULL << FDINFO_FIFO;

	switch (mode & S_IFMT) {
	case S_IFDIR:
		return dir;
	case S_IFLNK:
		return symlink;
	case S_IFBLK:
		return block;
	case S_IFCHR:
		return character;
	case S_IFIFO:
		return fifo;
	case S_IFSOCK:
		return SOCKET_TYPES;
	}
	return ~(dir | symlink | block | character | fifo | SOCKET_TYPES);
}

/* Is `file`, of a socket inode, a socket over IP with this port at either end? */
static __always_inline bool has_port(struct file *file, __u16 port)
{
	void *private_data = READ(file, private_data);
	struct socket___ports *socket;
	struct sock___ports *sk;
	__u16 family;

	/* opened by O_PATH: a name in a directory */
	if (!private_data)
		return false;
	socket = CAST(private_data, struct socket___ports);
	sk = READ(socket, sk);
	if (!sk)
		return false;
	family = READ(sk, __sk_common.skc_family);
	if (family != MATCH_AF_INET && family != MATCH_AF_INET6)
		return false;
	return READ(sk, __sk_common.skc_num) == port ||
	       READ(sk, __sk_common.skc_dport) == __builtin_bswap16(port);
}

/* Is it of a process that was not asked for? `task` as plain() makes it. */
static __always_inline bool other_process(const struct fdinfo_request *q, struct task_struct *task)
{
	__u32 filters = q->filters;

	if (filters & FDINFO_BY_USER) {
		const struct cred *cred = task->real_cred;

		if (!cred || cred->euid.val != q->user)
			return true;
	}
	if (filters & FDINFO_BY_COMMAND) {
		struct task_struct___command *leader = (void *)task->group_leader;
		const __u64 *wanted = (const __u64 *)q->command;
		__u64 command[2] = {};

		/* padded with zeros: __set_task_comm() of fs/exec.c */
		bpf_core_read(command, sizeof(command), &leader->comm);
		return command[0] != wanted[0] || command[1] != wanted[1];
	}
	return false;
}

/*
 * Is it none that was asked for? Of 100,000 descriptors all but a few end here.
 * Both pointers as CAST() makes them.
 */
static __always_inline bool ruled_out(const struct fdinfo_request *q, struct file *file, struct inode *inode)
{
	__u32 filters = q->filters, mode;

	if (filters & FDINFO_BY_INODE && q->inode != READ(inode, i_ino))
		return true;
	if (filters & FDINFO_BY_DEV) {
		struct super_block *super = READ(inode, i_sb);

		if (!super || q->dev != READ(super, s_dev))
			return true;
	}
	if (!(filters & (FDINFO_BY_PORT | FDINFO_BY_TYPE)))
		return false;
	mode = READ(inode, i_mode);
	if (filters & FDINFO_BY_TYPE && !(q->types & types_with(mode)))
		return true;
	if (!(filters & FDINFO_BY_PORT))
		return false;
	return (mode & S_IFMT) != S_IFSOCK || !has_port(file, q->port);
}

#endif
