/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * subject.bpf.h - the descriptor in hand: where it is looked at from, and the
 * record that is made of it.
 *
 * Kept in storage of the reading thread. A record does not fit the stack, and
 * memory shared with other readers, per-CPU maps too, would mix records:
 * iterators can be preempted. 8 KiB is the most that storage can be since it is
 * allocated by kmalloc_nolock().
 */
#ifndef FDMAP_SUBJECT_BPF_H
#define FDMAP_SUBJECT_BPF_H

#include "kernel-files.h"
#include "../compat.bpf.h"
#include "../pidns.bpf.h"

#define NAME_ROOM 256
#define PATH_ROOM 4096	/* PATH_MAX: what readlink(2) of /proc/PID/fd/N can return */
#define LIST_ROOM 2560

struct subject {
	struct fdinfo_request request;	/* its abi is 0 until one was made */

	/* addresses as numbers: functions of this program pass them on unverified */
	__u64 file;
	__u64 inode;
	__u64 private_data;
	__u64 files;		/* descriptor table, owner of POSIX locks */
	struct pidns caller;
	__u64 magic;
	__u32 file_mode;

	/* lengths of what follows, with heads, multiples of 8; 0 for none */
	__u32 class_size;
	__u32 list_size;
	__u32 name_size;
	__u32 path_size;
	__u32 written;		/* the record itself is out: what follows are continuations */
	__u32 elements;		/* of the list, those written included */

	struct fdinfo_record record;
	union {
		__u64 words[12];
		struct fdinfo_pipe pipe;
		struct fdinfo_inet inet;
		struct fdinfo_socket socket;
		struct fdinfo_eventfd eventfd;
		struct fdinfo_timerfd timerfd;
		struct fdinfo_signalfd signalfd;
		struct fdinfo_pidfd pidfd;
		struct fdinfo_memfd memfd;
		struct fdinfo_bpf bpf;
		struct fdinfo_io_uring io_uring;
		struct fdinfo_userfaultfd userfaultfd;
		struct fdinfo_perf perf;
		struct fdinfo_mqueue mqueue;
		struct fdinfo_tty tty;
		struct fdinfo_mapping mapping;
		struct fdinfo_fanotify_group fanotify;
	} class;
	struct fdinfo_more more;
	struct {
		struct fdinfo_list head;
		__u8 elements[LIST_ROOM];
	} list;
	struct {
		struct fdmap_attribute head;
		char bytes[NAME_ROOM + 12];
	} name;
	struct {
		struct fdmap_attribute head;
		char bytes[PATH_ROOM + 12];
	} path;
};

_Static_assert(sizeof(struct subject) <= 7936, "what kmalloc_nolock() can give, less the storage's own head");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct subject);
} subjects SEC(".maps");

#define ALIGN8(n) (((n) + 7) & ~7U)

/* The facts of a class: one attribute, behind the record. */
#define SET_CLASS(s, member, number)                                              \
	({                                                                        \
		(s)->class_size = sizeof((s)->class.member);                      \
		(s)->class.member.head.length = sizeof((s)->class.member);        \
		(s)->class.member.head.type = (number);                           \
	})

#define ZERO_CLASS(s) __builtin_memset((s)->class.words, 0, sizeof((s)->class.words))

/* `length` bytes are in name.bytes. */
static __always_inline void set_name(struct subject *s, __u64 length)
{
	length = AT_MOST(length, NAME_ROOM);
	if (length == 0)
		return;
	/* what pads it is no leftover of an earlier name */
	__builtin_memset(s->name.bytes + length, 0, 8);
	s->name.head.type = FDINFO_A_NAME;
	s->name.head.length = sizeof(s->name.head) + length;
	s->name_size = ALIGN8(sizeof(s->name.head) + length);
}

/* A C string of the kernel. */
static __always_inline void set_name_string(struct subject *s, const void *from)
{
	long length = bpf_probe_read_kernel_str(s->name.bytes, NAME_ROOM, from);

	/* an error is a huge number here, and longer than any name */
	set_name(s, length - 1);
}

static __always_inline __u64 rotate(__u64 x, int by)
{
	return x << by | x >> (64 - by);
}

#define SIP_ROUND(a, b, c, d)                                                     \
	do {                                                                      \
		a += b; b = rotate(b, 13); b ^= a; a = rotate(a, 32);             \
		c += d; d = rotate(d, 16); d ^= c;                                \
		a += d; d = rotate(d, 21); d ^= a;                                \
		c += b; b = rotate(b, 17); b ^= c; c = rotate(c, 32);             \
	} while (0)

/*
 * SipHash-1-3 of one word: the same address gives the same number, and without
 * the key the number gives no address (include/linux/siphash.h has it for the same end).
 */
static __noinline __attribute__((unused)) __u64 identity(__u64 address)
{
	__u64 a = config.file_key[0] ^ 0x736f6d6570736575ULL;
	__u64 b = config.file_key[1] ^ 0x646f72616e646f6dULL;
	__u64 c = config.file_key[0] ^ 0x6c7967656e657261ULL;
	__u64 d = config.file_key[1] ^ 0x7465646279746573ULL;
	__u64 length = 8ULL << 56;

	d ^= address;
	SIP_ROUND(a, b, c, d);
	a ^= address;
	d ^= length;
	SIP_ROUND(a, b, c, d);
	a ^= length;
	c ^= 0xff;
	SIP_ROUND(a, b, c, d);
	SIP_ROUND(a, b, c, d);
	SIP_ROUND(a, b, c, d);
	return a ^ b ^ c ^ d;
}

/*
 * An address from memory is a number to the verifier, which a pointer in a
 * register is not: no arithmetic is allowed with that.
 */
#define IDENTITY(member) identity(*(volatile __u64 *)&(member))

#endif
