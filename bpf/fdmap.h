/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * fdmap.h - the ABI: what crosses between a caller and the programs.
 *
 * The only definition of every context and record; src/abi/layout.gen.ts is
 * generated from the BTF of the compiled objects. Fixed-width members, explicit
 * padding, little surprises: a context is copied in and out whole by the kernel
 * (bpf_prog_test_run_syscall() in net/bpf/test_run.c), so an answer is always
 * in the buffer that held the question.
 *
 * Every number of a process or a thread is one of the caller's pid namespace.
 */
#ifndef FDMAP_ABI_H
#define FDMAP_ABI_H

#ifndef FDMAP_TYPES_DEFINED
#include <linux/types.h>
#endif

/* Changes only when an existing caller would misread an answer. */
#define FDMAP_ABI 1

/*
 * A program with stores up to offset N needs a buffer of N bytes at every call,
 * and each call copies all of it twice: hence a small and a wide form of each.
 * Kernels before 7.1 take context offsets only as the s16 of an instruction
 * ("dereference of modified ctx ptr"), so 32768 bytes is the ceiling.
 */
#define FDMAP_SMALL_ROOM 16	/* 1,024 descriptors in 176 bytes */
#define FDMAP_WIDE_ROOM 4090	/* 261,760 descriptors in 32,768 bytes */
#define PIDMAP_SMALL_ROOM 1012	/* in 4,096 bytes */
#define PIDMAP_WIDE_ROOM 8180	/* in 32,768 bytes */

/*
 * Constants of the loaded programs, set when they are loaded. From `shared` on
 * they are for programs that an administrator pins for everybody (page_size is for all).
 */
struct fdmap_config {
	__u32 vpid_lookup;	/* 1: the kernel has bpf_task_from_vpid() (6.13) */
	__u32 shared;		/* 1: runs for others; the guards below apply */
	__u32 self_only;	/* 1: nobody reads anybody but himself */
	__u32 hidepid;		/* as of the proc mount: 0, 1, 2 or 4 */
	__u32 exempt_gid;	/* the proc mount's gid=: a group to which 1 and 2 do not apply */
	/* offsets into cred->security, FDMAP_NO_WORD where the module is not active */
	__u32 landlock_word;	/* the domain: a caller in any is confined */
	__u32 apparmor_word;	/* the label: a caller with another than `unconfined` is confined */
	__u32 page_size;	/* in bytes */
	__u32 reorders_loads;	/* 1: the processor may make a later load first (not x86-64, s390x) */
	__u32 pad;
	__u64 unconfined;	/* address of AppArmor's unconfined label */
	__u64 file_key[2];	/* of fdinfo_record.file_id: secret, or numbers would tell addresses */
};

#define FDMAP_NO_WORD 0xffffffff

/* What an installation is, in a frozen map that everybody may read. */
struct fdmap_manifest {
	__u32 abi;		/* FDMAP_ABI; what follows is as of this number */
	__u32 flags;		/* FDMAP_INSTALL_* */
	__u32 tier;		/* 1: every call by programs (A); 2: by iterators (B) */
	__u32 hidepid;
	__u32 exempt_gid;
	__u32 group;		/* who may call: a gid, or FDMAP_EVERYBODY */
	char version[32];	/* of the package that installed it; each text ends in NUL */
	char build[32];		/* hash of the programs */
	char reason[160];	/* why self-only, if it is */
};

#define FDMAP_INSTALL_SELF_ONLY 1	/* callers see only themselves */
#define FDMAP_INSTALL_MOUNTED 2		/* the bpffs was mounted by the installation */
#define FDMAP_INSTALL_MADE_DIRECTORY 4	/* so was the directory made */
#define FDMAP_INSTALL_TEXT 8		/* the text streams are there */
#define FDMAP_EVERYBODY 0xffffffff

/*
 * Words of a thread's cred->security, by which `install` finds out where security modules
 * keep theirs. For root alone: this program is never pinned.
 */
#define FDMAP_LSM_ROOM 16

struct fdmap_lsm {
	__u32 ancestor;	/* in: 0 the caller, 1 his parent, …; too many steps end at init */
	__s32 error;	/* out: 0 or a negative errno */
	__u64 words[FDMAP_LSM_ROOM];
};

/* fdmap(2): which descriptors of a task's table are open, as a bitmap. */
struct fdmap_head {
	__u32 abi;	/* in: FDMAP_ABI */
	__u32 flags;	/* in: must be zero */
	__s32 pid;	/* in: process or thread, 0 for the caller */
	__s32 start;	/* in: first descriptor looked at */
	__s32 error;	/* out: 0 or a negative errno */
	__u32 base;	/* out: the descriptor of bit 0, a multiple of 64 */
	__u32 words;	/* out: how many words of the bitmap are valid */
	__u32 size;	/* out: size of the table; none is open from here on */
	__u32 pad[4];
};

struct fdmap_small {
	struct fdmap_head head;
	__u64 open[FDMAP_SMALL_ROOM];
};

struct fdmap_wide {
	struct fdmap_head head;
	__u64 open[FDMAP_WIDE_ROOM];
};

/* pidmap(2): the modes are an enumeration, as in the proposal. */
enum pidmap_mode {
	PIDMAP_TASKS = 1,	/* every thread of every process */
	PIDMAP_PROC = 2,	/* processes */
	PIDMAP_CHILDREN = 3,	/* processes whose parent is `pid` */
	PIDMAP_THREADS = 4,	/* threads of `pid` */
};

#define PIDMAP_IGNORE_KTHREADS (1U << 30)

/*
 * The cursor is the number itself: the answer holds those in [start, end), in
 * no particular order. `count` may be more than the buffer holds; the caller
 * then asks again for a narrower window. Nothing is skipped by count, so that
 * processes which come and go cannot shift the cursor.
 */
struct pidmap_head {
	__u32 abi;	/* in: FDMAP_ABI */
	__u32 mode;	/* in: enum pidmap_mode, PIDMAP_IGNORE_KTHREADS or-ed */
	__s32 pid;	/* in: for CHILDREN and THREADS, 0 for the caller */
	__s32 start;	/* in: first number wanted */
	__s32 end;	/* in: first number not wanted any more */
	__s32 error;	/* out: 0 or a negative errno */
	__u32 count;	/* out: how many there are in the window */
	__u32 stored;	/* out: how many of them are in pids[] */
	__u32 nested;	/* out: 1 when the caller is in a nested pid namespace */
	__u32 pad[3];
};

struct pidmap_small {
	struct pidmap_head head;
	__s32 pids[PIDMAP_SMALL_ROOM];
};

struct pidmap_wide {
	struct pidmap_head head;
	__s32 pids[PIDMAP_WIDE_ROOM];
};

/* Stream of the pidmap iterator: one for each task that the caller can see. */
struct pidmap_record {
	__s32 tid;
	__s32 pid;
	__s32 ppid;	/* 0 when the parent is not visible */
	__u32 flags;	/* PIDMAP_RECORD_IS_* */
};

#define PIDMAP_RECORD_IS_KTHREAD 1
#define PIDMAP_RECORD_IS_CLOSED 2	/* hidepid 1: a number, and nothing more is told */

/*
 * Stream of the fdmap iterator, for each task: a fdmap_head, and where `words`
 * is not 0 as many words of bitmap and the head again, whose `error` says
 * whether they are good. `pid` is the thread's number, `start` what the reading
 * thread left with fdmap_request, else 0.
 */


/*
 * Records: what fdinfo and pidinfo answer with, what an iterator streams and
 * what a dump holds. A fixed part that begins with this head, then attributes
 * in the format of struct nlattr (include/uapi/linux/netlink.h), which may be
 * added without breaking a reader: he steps over types that he does not know,
 * and over the end of a fixed part or attribute that is longer than his.
 *
 * Numbers are those of the machine that wrote them. Sizes of records are
 * multiples of 8, so that a record in an aligned buffer is aligned.
 */
struct fdmap_record {
	__u32 size;	/* of all of it, attributes and padding included */
	__u16 kind;	/* enum fdmap_kind */
	__u16 fixed;	/* where the first attribute is */
	__u16 version;	/* FDMAP_FORMAT */
	__u16 flags;	/* FDMAP_TRUNCATED */
	__s32 error;	/* 0, or why this subject was not read: a negative errno */
	__u64 mask;	/* which fields are valid; their meaning is the kind's */
};

#define FDMAP_FORMAT 1
#define FDMAP_TRUNCATED 1	/* something was longer than there is room */

enum fdmap_kind {
	FDMAP_KIND_PROCESS = 1,	/* struct pidinfo_record */
	FDMAP_KIND_DESCRIPTOR = 2,
	FDMAP_KIND_SUMMARY = 3,	/* struct fdmap_summary */
	FDMAP_KIND_ABOUT = 4,	/* struct fdmap_about */
	FDMAP_KIND_USER = 5,	/* struct fdmap_user */
};

/* Before the payload of each attribute; the next one is at a multiple of 4. */
struct fdmap_attribute {
	__u16 length;	/* of head and payload, without padding */
	__u16 type;
};

/*
 * pidinfo: the status of processes and threads. The fields come in groups, as
 * they cost; a group is one attribute whose type is its bit in the mask. IO,
 * NAMESPACES and KINDS follow may_read(), the others are for everybody.
 */
enum pidinfo_group {
	PIDINFO_STATUS = 1,
	PIDINFO_CREDS = 2,
	PIDINFO_FILES = 3,
	PIDINFO_LIMIT = 4,
	PIDINFO_TIMES = 5,
	PIDINFO_FAULTS = 6,
	PIDINFO_IO = 7,
	PIDINFO_MEMORY = 8,
	PIDINFO_SCHED = 9,
	PIDINFO_CGROUP = 10,
	PIDINFO_NAMESPACES = 11,
	PIDINFO_CGROUP_PATH = 12,
	PIDINFO_CGROUPS_V1 = 13,	/* never from programs: what a reader of /proc adds */
	PIDINFO_KINDS = 14,
};

#define PIDINFO_SMALL_ROOM 506	/* 64-bit words of a context of 4,096 bytes */
#define PIDINFO_WIDE_ROOM 4090	/* and of 32,768 */
#define PIDINFO_SMALL_PIDS 8	/* pids named in one call */
#define PIDINFO_WIDE_PIDS 512

/*
 * The identity of a process is its number and its start time. Every member of
 * these structs is at a multiple of its size, and so are they in a record.
 */
struct pidinfo_record {
	struct fdmap_record head;
	__s32 pid;	/* thread group */
	__s32 tid;	/* equal to pid, but in the record of a thread */
	__u64 start_time;	/* ns since boot, in the caller's time namespace */
};

struct pidinfo_status {
	struct fdmap_attribute head;
	__s32 ppid;	/* 0 when the parent is not visible; so the next two */
	__s32 pgid;
	__s32 sid;
	__u32 state;	/* task_struct's __state | exit_state */
	__u32 task_flags;	/* PF_KTHREAD and others of include/linux/sched.h */
	__u32 threads;
	__u32 tty;	/* device as new_encode_dev() has it; 0 for none */
	__u8 command[16];
};

/* In the caller's user namespace; the overflow id for one without a mapping. */
struct pidinfo_creds {
	struct fdmap_attribute head;
	__u32 uid;
	__u32 euid;
	__u32 suid;
	__u32 fsuid;
	__u32 gid;
	__u32 egid;
	__u32 sgid;
	__u32 fsgid;
	__u32 pad;
	__u64 cap_effective;
};

struct pidinfo_files {
	struct fdmap_attribute head;
	__u32 count;	/* open descriptors */
	__u32 table;	/* size of the table */
	__u32 pad;
};

/* What the open descriptors are: a look at each, where FILES counts bits. */
struct pidinfo_kinds {
	struct fdmap_attribute head;
	__u32 files;	/* files, directories, links and devices */
	__u32 sockets;
	__u32 pipes;	/* and FIFOs */
	__u32 other;
	__u32 pad;
};

/* RLIMIT_NOFILE; ~0 is RLIM_INFINITY */
struct pidinfo_limit {
	struct fdmap_attribute head;
	__u32 pad;
	__u64 soft;
	__u64 hard;
};

/*
 * TIMES, FAULTS and IO are sums over the threads of the process, those that
 * have exited included; in the record of a thread (PIDINFO_THREADS) its own.
 *
 * utime and stime are what the ticks say. /proc shows them scaled to the exact
 * running time, and never less than before: cputime_adjust() in
 * kernel/sched/cputime.c, which a reader can do with these five (docs/abi.md).
 */
struct pidinfo_times {
	struct fdmap_attribute head;
	__u32 flags;	/* PIDINFO_ADJUSTED: utime and stime are /proc's, the rest is 0 */
	__u64 utime;	/* all in ns */
	__u64 stime;
	__u64 runtime;
	__u64 prev_utime;
	__u64 prev_stime;
};

#define PIDINFO_ADJUSTED 1

struct pidinfo_faults {
	struct fdmap_attribute head;
	__u32 pad;
	__u64 minor;
	__u64 major;
};

/* Bytes that storage was read and written for: read_bytes and write_bytes of /proc/PID/io. */
struct pidinfo_io {
	struct fdmap_attribute head;
	__u32 pad;
	__u64 read_bytes;
	__u64 write_bytes;
};

/*
 * In bytes. The kernel counts resident pages in batches on each CPU; these are
 * the sums without what is not in yet, as stat shows them: proc_pid_stat(5).
 */
struct pidinfo_memory {
	struct fdmap_attribute head;
	__u32 pad;
	__u64 vsize;
	__u64 rss;
	__u64 shared;	/* of it: file mappings and shared memory */
};

struct pidinfo_sched {
	struct fdmap_attribute head;
	__s32 priority;	/* as stat shows it */
	__s32 nice;
	__u32 policy;
	__u32 cpu;	/* last run on */
	__s32 oom_score_adj;
	__u32 pad[2];
};

/*
 * cgroup v2: the id is the inode number of the cgroup's directory. CGROUP_PATH, when
 * it is asked for, are the bytes of its path as /proc/PID/cgroup has it, without a
 * NUL, from the root of the caller's cgroup namespace: in the first record of an
 * answer that has this id (sometimes in another one too). A path that is longer than
 * PIDINFO_PATH_ROOM or PIDINFO_PATH_LEVELS ends there, and the record is FDMAP_TRUNCATED.
 */
struct pidinfo_cgroup {
	struct fdmap_attribute head;
	__u32 pad;
	__u64 id;
};

#define PIDINFO_PATH_ROOM 1024
#define PIDINFO_PATH_LEVELS 64

/* Inode numbers as stat(2) of /proc/PID/ns/ shows them; 0 for one that is not known. */
struct pidinfo_namespaces {
	struct fdmap_attribute head;
	__u32 cgroup;
	__u32 ipc;
	__u32 mnt;
	__u32 net;
	__u32 pid;
	__u32 pid_for_children;
	__u32 time;
	__u32 time_for_children;
	__u32 user;
	__u32 uts;
	__u32 pad;
};

#define PIDINFO_THREADS 1	/* threads: their own times, faults and io */
#define PIDINFO_LINK 2		/* of an iterator: the link names one, which may be a thread */
#define PIDINFO_FORGET 4	/* of an iterator: as if this thread had never asked */

/*
 * Who is wanted are `count` __s32 behind the head, numbers of processes or
 * threads. Each has a record in the answer, in their order, as long as there is
 * room: `stored` of them, and the caller asks again for the rest. One that is
 * not there has a record with an error.
 */
struct pidinfo_head {
	__u32 abi;	/* in: FDMAP_ABI */
	__u32 flags;	/* in: PIDINFO_THREADS, PIDINFO_LINK, PIDINFO_FORGET */
	__u64 mask;	/* in: groups wanted, 1 << enum pidinfo_group each */
	__u32 count;	/* in: how many are named */
	__s32 error;	/* out: 0 or a negative errno */
	__u32 stored;	/* out: how many records there are */
	__u32 bytes;	/* out: length of them all */
	__u32 nested;	/* out: 1 when the caller is in a nested pid namespace */
	__u32 pad[3];
};

struct pidinfo_small {
	struct pidinfo_head head;
	__u64 records[PIDINFO_SMALL_ROOM];
};

struct pidinfo_wide {
	struct pidinfo_head head;
	__u64 records[PIDINFO_WIDE_ROOM];
};

/*
 * Counts of descriptors alone, by one walk of the task list: pidmap's question (`mode` is
 * PIDMAP_PROC) with a pid, a count and the start time of each process in the window.
 */
#define PIDINFO_COUNTS_ROOM 2045

struct pidinfo_count {
	__s32 pid;
	__u32 count;
	__u64 start_time;
};

struct pidinfo_counts {
	struct pidmap_head head;
	struct pidinfo_count processes[PIDINFO_COUNTS_ROOM];
};

#include "fdinfo.h"
#include "image.h"

_Static_assert(sizeof(struct fdmap_config) == 64, "fdmap_config");
_Static_assert(sizeof(struct fdmap_manifest) == 248, "fdmap_manifest");
_Static_assert(sizeof(struct fdmap_lsm) == 136, "fdmap_lsm");
_Static_assert(sizeof(struct fdmap_head) == 48, "fdmap_head");
_Static_assert(sizeof(struct fdmap_small) == 176, "fdmap_small");
_Static_assert(sizeof(struct fdmap_wide) == 32768, "fdmap_wide");
_Static_assert(sizeof(struct pidmap_head) == 48, "pidmap_head");
_Static_assert(sizeof(struct pidmap_small) == 4096, "pidmap_small");
_Static_assert(sizeof(struct pidmap_wide) == 32768, "pidmap_wide");
_Static_assert(sizeof(struct pidmap_record) == 16, "pidmap_record");
_Static_assert(sizeof(struct fdmap_record) == 24, "fdmap_record");
_Static_assert(sizeof(struct fdmap_attribute) == 4, "fdmap_attribute");
_Static_assert(sizeof(struct pidinfo_record) == 40, "pidinfo_record");
_Static_assert(sizeof(struct pidinfo_status) == 48, "pidinfo_status");
_Static_assert(sizeof(struct pidinfo_creds) == 48, "pidinfo_creds");
_Static_assert(sizeof(struct pidinfo_files) == 16, "pidinfo_files");
_Static_assert(sizeof(struct pidinfo_limit) == 24, "pidinfo_limit");
_Static_assert(sizeof(struct pidinfo_times) == 48, "pidinfo_times");
_Static_assert(sizeof(struct pidinfo_faults) == 24, "pidinfo_faults");
_Static_assert(sizeof(struct pidinfo_io) == 24, "pidinfo_io");
_Static_assert(sizeof(struct pidinfo_memory) == 32, "pidinfo_memory");
_Static_assert(sizeof(struct pidinfo_sched) == 32, "pidinfo_sched");
_Static_assert(sizeof(struct pidinfo_cgroup) == 16, "pidinfo_cgroup");
_Static_assert(sizeof(struct pidinfo_namespaces) == 48, "pidinfo_namespaces");
_Static_assert(sizeof(struct pidinfo_head) == 48, "pidinfo_head");
_Static_assert(sizeof(struct pidinfo_small) == 4096, "pidinfo_small");
_Static_assert(sizeof(struct pidinfo_wide) == 32768, "pidinfo_wide");
_Static_assert(sizeof(struct pidinfo_count) == 16, "pidinfo_count");
_Static_assert(sizeof(struct pidinfo_counts) == 32768, "pidinfo_counts");

#endif
