/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * fdinfo.h - the records of descriptors, and what is asked of their stream.
 * A part of fdmap.h, which includes it.
 *
 * A record is struct fdinfo_record, then at most one attribute with the facts
 * of its class, then lists (locks, targets, watches, marks), then strings.
 */
#ifndef FDINFO_ABI_H
#define FDINFO_ABI_H

/* In the order of `type`'s names in src/abi/fdinfo/types.ts; a bit each in fdinfo_request.types. */
enum fdinfo_type {
	FDINFO_UNKNOWN,
	FDINFO_FILE,
	FDINFO_DIR,
	FDINFO_SYMLINK,
	FDINFO_BLOCK,
	FDINFO_CHAR,
	FDINFO_PIPE,
	FDINFO_FIFO,
	FDINFO_TCP,
	FDINFO_UDP,
	FDINFO_UDPLITE,
	FDINFO_RAW,
	FDINFO_PING,
	FDINFO_UNIX,
	FDINFO_NETLINK,
	FDINFO_PACKET,
	FDINFO_VSOCK,
	FDINFO_SOCKET,	/* of any other family, or one that was never bound to any */
	FDINFO_EVENTFD,
	FDINFO_EPOLL,
	FDINFO_TIMERFD,
	FDINFO_SIGNALFD,
	FDINFO_INOTIFY,
	FDINFO_FANOTIFY,
	FDINFO_PIDFD,
	FDINFO_MEMFD,
	FDINFO_BPF_MAP,
	FDINFO_BPF_PROG,
	FDINFO_BPF_LINK,
	FDINFO_IO_URING,
	FDINFO_USERFAULTFD,
	FDINFO_PERF,
	FDINFO_LANDLOCK,
	FDINFO_NAMESPACE,
	FDINFO_MQUEUE,
	FDINFO_ANON,	/* any other anonymous inode: its name is an attribute */
};

/* In place of a number. */
#define FDINFO_FD_CWD (-1)
#define FDINFO_FD_ROOT (-2)
#define FDINFO_FD_EXE (-3)
#define FDINFO_FD_MEM (-4)

/* Bits of fdmap_record.mask: which members of struct fdinfo_record are known. */
#define FDINFO_HAS_FILE_ID (1U << 0)
#define FDINFO_HAS_TABLE (1U << 1)
#define FDINFO_HAS_INODE (1U << 2)
#define FDINFO_HAS_POS (1U << 3)
#define FDINFO_HAS_SIZE (1U << 4)
#define FDINFO_HAS_MODE (1U << 5)
#define FDINFO_HAS_FLAGS (1U << 6)	/* cloexec too */
#define FDINFO_HAS_DEV (1U << 7)
#define FDINFO_HAS_RDEV (1U << 8)
#define FDINFO_HAS_NLINK (1U << 9)
#define FDINFO_HAS_UID (1U << 10)
#define FDINFO_HAS_MOUNT_ID (1U << 11)
#define FDINFO_HAS_ACCESS (1U << 12)
#define FDINFO_HAS_DELETED (1U << 13)
#define FDINFO_HAS_PROCESS_UID (1U << 14)
#define FDINFO_HAS_COMMAND (1U << 15)

/*
 * Two more kinds of record. MORE goes on with a list of the record before it,
 * HIDDEN stands for one process whose descriptors the caller may not see.
 */
#define FDINFO_KIND_MORE 16
#define FDINFO_KIND_HIDDEN 17
#define FDINFO_KIND_MATCH 18	/* of a search: a process that has what was looked for */

struct fdinfo_more {
	struct fdmap_record head;
	__s32 pid;
	__s32 tid;
	__s32 fd;
	__u32 pad;
};

/* fdinfo_record.bits */
#define FDINFO_READ (1U << 0)
#define FDINFO_WRITE (1U << 1)
#define FDINFO_DELETED (1U << 2)	/* has no name any more; the path is its last one, and ' (deleted)' */

struct fdinfo_record {
	struct fdmap_record head;
	__s32 pid;	/* thread group */
	__s32 tid;	/* another number when the table is not the leader's */
	__s32 fd;
	__u32 type;	/* enum fdinfo_type */
	__u64 file_id;	/* keyed hash of the open file: equal where dup(2), fork(2), SCM_RIGHTS made it so */
	__u64 table;	/* keyed hash of the descriptor table */
	__u64 inode;
	__s64 pos;
	__u64 size;
	__u32 mode;
	__u32 flags;	/* open(2)'s, O_CLOEXEC as it is now */
	__u32 dev;	/* the kernel's own form: minor in the low 20 bits */
	__u32 rdev;
	__u32 nlink;
	__u32 uid;	/* owner of the file */
	__s32 mount_id;
	__u32 bits;
	__u32 process_uid;
	__u32 pad;
	char command[16];
};

enum fdinfo_attribute {
	FDINFO_A_PATH = 1,	/* bytes, without a final NUL; of a file that FDINFO_DELETED, ' (deleted)' behind it */
	FDINFO_A_NAME,		/* bytes: of an anonymous inode, a memfd, a namespace, a bpf object, a unix socket */
	FDINFO_A_LOCKS,		/* struct fdinfo_list of struct fdinfo_lock */
	FDINFO_A_PIPE,
	FDINFO_A_INET,
	FDINFO_A_SOCKET,	/* struct fdinfo_socket: unix, netlink, packet, vsock and all others */
	FDINFO_A_EVENTFD,
	FDINFO_A_EPOLL,		/* struct fdinfo_list of struct fdinfo_target */
	FDINFO_A_TIMERFD,
	FDINFO_A_SIGNALFD,
	FDINFO_A_INOTIFY,	/* struct fdinfo_list of struct fdinfo_watch */
	FDINFO_A_FANOTIFY,	/* the same */
	FDINFO_A_PIDFD,
	FDINFO_A_MEMFD,
	FDINFO_A_BPF,
	FDINFO_A_IO_URING,
	FDINFO_A_USERFAULTFD,
	FDINFO_A_PERF,
	FDINFO_A_MQUEUE,
	FDINFO_A_TTY,
	FDINFO_A_MAPPING,
	FDINFO_A_FANOTIFY_GROUP,
};

struct fdinfo_pipe {
	struct fdmap_attribute head;
	__u32 readers;	/* open files that can read */
	__u32 writers;
	__u32 slots;
	__u32 queued;	/* bytes; valid with has_queued */
	__u32 has_queued;
	__u64 capacity;	/* bytes */
};

#define FDINFO_KNOWS_RECEIVE (1U << 0)	/* fdinfo_inet.valid: the queues that were read */
#define FDINFO_KNOWS_SEND (1U << 1)

/* Addresses in network order, ports in the host's. */
struct fdinfo_inet {
	struct fdmap_attribute head;
	__u16 family;	/* 4 or 6 */
	__u16 state;	/* include/net/tcp_states.h */
	__u16 protocol;
	__u16 local_port;
	__u16 remote_port;
	__u16 valid;	/* FDINFO_KNOWS_RECEIVE, _SEND, _SHUTDOWN, and what is shut */
	__u32 receive_queue;	/* bytes; of a listener, connections waiting for accept(2) */
	__u32 send_queue;	/* bytes; of a listener, the most that may wait */
	__u32 netns;
	__u32 interface;
	__u8 local[16];
	__u8 remote[16];
};

/* A member that the family has not is 0. */
struct fdinfo_socket {
	struct fdmap_attribute head;
	__u16 family;	/* AF_* */
	__u16 socket_type;	/* SOCK_* */
	__u32 protocol;
	__u32 state;	/* as fdinfo_inet */
	__u32 netns;
	__u32 interface;	/* packet */
	__u32 local_cid;	/* vsock */
	__u32 local_port;	/* vsock; netlink: port id */
	__u32 remote_cid;
	__u32 remote_port;
	__u32 groups;	/* netlink: the first 32 */
	__u32 valid;	/* FDINFO_KNOWS_DETAIL and others, and what is shut */
	__u64 peer;	/* unix: inode of the socket at the other end, 0 for none */
};

#define FDINFO_KNOWS_DETAIL (1U << 0)	/* what only this family has was read */
#define FDINFO_KNOWS_NETNS (1U << 1)
#define FDINFO_KNOWS_PEER (1U << 2)
#define FDINFO_KNOWS_SHUTDOWN (1U << 3)	/* in both structs: and so the next two */
#define FDINFO_SHUT_READ (1U << 4)	/* shutdown(2): nothing more is received */
#define FDINFO_SHUT_WRITE (1U << 5)	/* nothing more is sent */

struct fdinfo_eventfd {
	struct fdmap_attribute head;
	__u32 flags;	/* 1: EFD_SEMAPHORE */
	__u64 count;
	__s32 id;	/* -1: not known */
	__u32 pad;
};

/* Lists: `total` elements follow, or more exist where the record is marked as truncated. */
struct fdinfo_list {
	struct fdmap_attribute head;
	__u32 total;
};

struct fdinfo_target {
	__s32 fd;
	__u32 events;
	__u64 data;
	__u64 inode;
	__u64 file_id;	/* 0: not known */
	__u32 dev;
	__u32 pad;
};

struct fdinfo_watch {
	__s32 wd;	/* fanotify: -1 */
	__u32 mask;
	__u64 inode;	/* 0: of a mount or file system */
	__u32 dev;
	__u32 ignored;
	__u32 kind;	/* 0 inode, 1 mount, 2 file system */
	__u32 flags;
};

struct fdinfo_lock {
	__u32 kind;	/* FL_POSIX 1, FL_FLOCK 2, FL_LEASE 32, FL_OFDLCK 1024 */
	__u32 type;	/* F_RDLCK 0, F_WRLCK 1 */
	__s64 start;
	__s64 end;	/* INT64_MAX: to the end of the file */
};

struct fdinfo_timerfd {
	struct fdmap_attribute head;
	__s32 clock;
	__u64 ticks;
	__u64 remaining;	/* ns, 0 when it is not armed */
	__u64 interval;		/* ns */
	__u32 settime_flags;
	__u32 has_remaining;
};

struct fdinfo_signalfd {
	struct fdmap_attribute head;
	__u32 pad;
	__u64 mask;	/* bit 0 is signal 1 */
};

struct fdinfo_pidfd {
	struct fdmap_attribute head;
	__s32 pid;	/* 0: not in the caller's namespace; -1: gone */
};

struct fdinfo_memfd {
	struct fdmap_attribute head;
	__u32 seals;
};

struct fdinfo_bpf {
	struct fdmap_attribute head;
	__u32 id;
	__u32 type;	/* enum bpf_map_type, bpf_prog_type, bpf_link_type */
	__u32 key_size;	/* of maps, and so the next three */
	__u32 value_size;
	__u32 max_entries;
	__u32 frozen;
	__u32 program;	/* id of a link's program */
};

struct fdinfo_io_uring {
	struct fdmap_attribute head;
	__u32 sq_entries;
	__u32 cq_entries;
	__u32 sq_head;
	__u32 sq_tail;
	__u32 cq_head;
	__u32 cq_tail;
	__u32 setup_flags;
	__u32 files;	/* registered */
	__u32 has_files;
};

struct fdinfo_userfaultfd {
	struct fdmap_attribute head;
	__u32 features;
};

struct fdinfo_perf {
	struct fdmap_attribute head;
	__u32 event_type;
	__u64 config;
	__s32 cpu;
	__u32 pad;
};

struct fdinfo_mqueue {
	struct fdmap_attribute head;
	__u32 pad;
	__u64 max_messages;
	__u64 message_size;
	__u64 messages;
	__u64 queued;	/* bytes */
};

struct fdinfo_tty {
	struct fdmap_attribute head;
	__s32 index;
};

struct fdinfo_mapping {
	struct fdmap_attribute head;
	__u32 protection;	/* PROT_READ 1, WRITE 2, EXEC 4; MAP_SHARED 8 */
	__u64 start;
	__u64 end;
	__u64 offset;
};

struct fdinfo_fanotify_group {
	struct fdmap_attribute head;
	__u32 flags;
	__u32 event_flags;
	__u32 pad;
};

/*
 * What a stream should hold, left by the program `fdinfo_request` in storage of
 * the calling thread. Without one: every descriptor, with everything.
 */
#define FDINFO_WANT_PATH (1U << 0)
#define FDINFO_WANT_CLASS (1U << 1)	/* the facts of its class */
#define FDINFO_WANT_LOCKS (1U << 2)
#define FDINFO_WANT_PLACES (1U << 3)	/* of a search: cwd, root and exe too */

#define FDINFO_BY_TYPE (1U << 0)
#define FDINFO_BY_FD (1U << 1)
#define FDINFO_BY_INODE (1U << 2)
#define FDINFO_BY_DEV (1U << 3)
#define FDINFO_BY_PORT (1U << 4)	/* of inet sockets, either end */
#define FDINFO_BY_USER (1U << 5)	/* effective uid of the process */
#define FDINFO_BY_COMMAND (1U << 6)	/* name of its first thread */

struct fdinfo_request {
	__u32 abi;	/* in: FDMAP_ABI */
	__s32 error;	/* out: 0 or a negative errno */
	__u32 want;
	__u32 filters;	/* which of the following count; all that do must match */
	__u64 types;	/* 1 << enum fdinfo_type each */
	__u64 inode;
	__u32 dev;	/* as in a record */
	__s32 fd;
	__u32 port;
	__u32 user;
	char command[16];	/* zeros behind it */
};

/* What a search answers with: which processes to ask for their records. */
#define FDINFO_MATCH_FILES (1U << 0)
#define FDINFO_MATCH_PLACES (1U << 1)
#define FDINFO_MATCH_MAPPINGS (1U << 2)

struct fdinfo_match {
	struct fdmap_record head;
	__s32 pid;	/* thread group */
	__u32 where;	/* FDINFO_MATCH_*: not those that were not looked at */
};

_Static_assert(sizeof(struct fdinfo_record) == 136, "fdinfo_record");
_Static_assert(sizeof(struct fdinfo_request) == 64, "fdinfo_request");
_Static_assert(sizeof(struct fdinfo_match) == 32, "fdinfo_match");
_Static_assert(sizeof(struct fdinfo_inet) % 8 == 0, "fdinfo_inet");
_Static_assert(sizeof(struct fdinfo_socket) % 8 == 0, "fdinfo_socket");
_Static_assert(sizeof(struct fdinfo_target) == 40, "fdinfo_target");
_Static_assert(sizeof(struct fdinfo_watch) == 32, "fdinfo_watch");
_Static_assert(sizeof(struct fdinfo_lock) == 24, "fdinfo_lock");

#endif
