/* SPDX-License-Identifier: MIT */
/*
 * fdmap.h - fdmap(2) and pidmap(2) for C and C++: one header, no library.
 *
 *	long fdmap(pid_t pid, int *fds, unsigned count, int start, int flags);
 *	long pidmap(pid_t pid, int *pids, unsigned count, unsigned start, int flags);
 *
 * They need no privilege, but an administrator who ran `fdmap install` once:
 * what they call are BPF programs pinned in /run/fdmap (environment: FDMAP_BPFFS).
 * Manual pages: fdmap(2), pidmap(2). Each returns how many numbers it wrote,
 * ascending, 0 at the end; -1 and errno on failure:
 *
 *	EINVAL		start is negative, or flags are unknown
 *	ESRCH		no such process or thread
 *	EACCES		readlink(/proc/PID/fd/N) would be refused, too
 *	ENOSYS		the calls are not installed, or not by an administrator
 *	EPROTONOSUPPORT	they are of another ABI than this header
 *	and those of open(2) and bpf(2) at the first call
 *
 * The first call opens two to four descriptors (close-on-exec), which stay open;
 * fdmap_open() does it beforehand, so that later calls work at EMFILE too.
 * Thread-safe. Define FDMAP_STATIC to nothing to have external functions.
 */
#ifndef FDMAP_H
#define FDMAP_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef FDMAP_STATIC
#define FDMAP_STATIC static __attribute__((unused))
#endif

#define FDMAP_ABI 1

/* flags of pidmap(): one of four, and whether kernel threads are left out */
#define PIDMAP_TASKS 1		/* every thread of every process */
#define PIDMAP_PROC 2		/* processes */
#define PIDMAP_CHILDREN 3	/* processes whose parent is `pid` (0: the caller) */
#define PIDMAP_THREADS 4	/* threads of `pid` (0: the caller) */
#define PIDMAP_IGNORE_KTHREADS (1 << 30)

/* Opens everything that the calls need: 0, or -1 and errno. */
FDMAP_STATIC int fdmap_open(void);

/*
 * Opens a stream of the whole machine by the name of its iterator, for read(2)
 * with buffers of 32 KiB: every read ends at a record (docs/abi.md). Needs no
 * bpf(2). A descriptor, or -1 and errno.
 */
FDMAP_STATIC int fdmap_open_stream(const char *iterator);

/* ------------------------------------------------------------------------- */

/* The contexts of the programs, as in bpf/fdmap.h. */
struct fdmap__head {
	uint32_t abi, flags;
	int32_t pid, start, error;
	uint32_t base, words, size, pad[4];
};

struct fdmap__small {
	struct fdmap__head head;
	uint64_t open[16];
};

struct fdmap__wide {
	struct fdmap__head head;
	uint64_t open[4090];
};

struct pidmap__head {
	uint32_t abi, mode;
	int32_t pid, start, end, error;
	uint32_t count, stored, nested, pad[3];
};

struct pidmap__wide {
	struct pidmap__head head;
	int32_t pids[8180];
};

struct pidmap__record {
	int32_t tid, pid, ppid;
	uint32_t flags;
};

/* The two parts of union bpf_attr that are used: include/uapi/linux/bpf.h. */
struct fdmap__attr_obj {
	uint64_t pathname;
	uint32_t bpf_fd, file_flags;
};

struct fdmap__attr_run {
	uint32_t prog_fd, retval, data_size_in, data_size_out;
	uint64_t data_in, data_out;
	uint32_t repeat, duration, ctx_size_in, ctx_size_out;
	uint64_t ctx_in, ctx_out;
	uint32_t flags, cpu, batch_size, pad;
};

enum {
	FDMAP__OBJ_GET = 7,
	FDMAP__RUN = 10,
	FDMAP__RDONLY = 1 << 3,
	FDMAP__RECORD_KTHREAD = 1,
	FDMAP__RECORD_CLOSED = 2,
	FDMAP__PID_END = 4 * 1024 * 1024 + 1,
	FDMAP__STREAM = 32 * 1024,
	FDMAP__ATTEMPTS = 10000
};

#define FDMAP__BPF_FS_MAGIC 0xcafe4a11u

/* Index into fdmap__fd[]: programs that are opened, each 0 (not yet) or its descriptor. */
enum { FDMAP__SMALL, FDMAP__WIDE, FDMAP__PIDS, FDMAP__PROGRAMS };

static __attribute__((unused)) int fdmap__fd[FDMAP__PROGRAMS];

/* In a user namespace that has no number for root of the machine, he looks like this one. */
static __attribute__((unused)) int fdmap__is_overflow(uid_t uid)
{
	unsigned inside, outside, count;
	int fields, fd;
	char map[256];
	ssize_t length;

	if (uid != 65534)
		return 0;
	fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, map, sizeof(map) - 1);
	close(fd);
	map[length > 0 ? length : 0] = '\0';
	fields = sscanf(map, "%u %u %u", &inside, &outside, &count);
	return fields == 3 && !(inside == 0 && outside == 0 && count == 4294967295u);
}

/* The directory of the version in use: DIR/abiN-HASH. */
static __attribute__((unused)) int fdmap__directory(char *path, size_t size)
{
	const char *directory = getauxval(AT_SECURE) ? NULL : getenv("FDMAP_BPFFS");
	char name[64], link[PATH_MAX];
	struct statfs fs;
	struct stat st;
	ssize_t length;

	if (!directory || !*directory)
		directory = "/run/fdmap";
	/* nobody but root can have put programs there, or they are not run */
	if (statfs(directory, &fs) || (uint32_t)fs.f_type != FDMAP__BPF_FS_MAGIC || stat(directory, &st) ||
	    (st.st_uid != 0 && !fdmap__is_overflow(st.st_uid)) || (st.st_mode & 022)) {
		errno = ENOSYS;
		return -1;
	}
	if ((size_t)snprintf(link, sizeof(link), "%s/current", directory) >= sizeof(link)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	length = readlink(link, name, sizeof(name) - 1);
	if (length < 0) {
		errno = ENOSYS;
		return -1;
	}
	name[length] = '\0';
	if (strchr(name, '/') || strncmp(name, "abi", 3) || atoi(name + 3) != FDMAP_ABI) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	if ((size_t)snprintf(path, size, "%s/%s", directory, name) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* A pin by its name, by open(2) (a stream) or by bpf(2) (a program). */
static __attribute__((unused)) int fdmap__get(const char *name, int stream)
{
	char path[PATH_MAX];

	/* an upgrade may take away the old version between two looks */
	for (int attempt = 0; attempt < 3; attempt++) {
		struct fdmap__attr_obj attr;
		size_t length;
		int fd, low;

		if (fdmap__directory(path, sizeof(path)))
			return -1;
		length = strlen(path);
		if ((size_t)snprintf(path + length, sizeof(path) - length, stream ? "/%s_stream" : "/%s", name) >=
		    sizeof(path) - length) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memset(&attr, 0, sizeof(attr));
		attr.pathname = (uintptr_t)path;
		attr.file_flags = FDMAP__RDONLY;
		fd = stream ? open(path, O_RDONLY | O_CLOEXEC) :
			      (int)syscall(SYS_bpf, FDMAP__OBJ_GET, &attr, sizeof(attr));
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fd > 2 || stream)
			return fd;
		/* never in the place of a standard stream */
		low = fd;
		fd = fcntl(low, F_DUPFD_CLOEXEC, 3);
		close(low);
		return fd;
	}
	errno = ENOSYS;
	return -1;
}

/* The descriptor of a program, opened at its first use. */
static __attribute__((unused)) int fdmap__program(int which)
{
	static const char *const names[FDMAP__PROGRAMS] = { "fdmap_small", "fdmap_wide", "pidmap_wide" };
	int fd = __atomic_load_n(&fdmap__fd[which], __ATOMIC_ACQUIRE), expected = 0;

	if (fd)
		return fd;
	fd = fdmap__get(names[which], 0);
	if (fd < 0)
		return fd;
	if (__atomic_compare_exchange_n(&fdmap__fd[which], &expected, fd, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return fd;
	close(fd); /* another thread was faster */
	return expected;
}

/* Runs a program until it answers: EBUSY and EAGAIN, in `*error`, pass by themselves. */
static __attribute__((unused)) int fdmap__run(int program, void *context, uint32_t size, const int32_t *error)
{
	struct fdmap__attr_run attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (uint32_t)program;
	attr.ctx_size_in = size;
	attr.ctx_in = (uintptr_t)context;
	for (int i = 0;; i++) {
		if (syscall(SYS_bpf, FDMAP__RUN, &attr, sizeof(attr)))
			return -1;
		if ((*error != -EBUSY && *error != -EAGAIN) || i == FDMAP__ATTEMPTS)
			break;
	}
	if (*error) {
		errno = -*error;
		return -1;
	}
	return 0;
}

static __attribute__((unused)) unsigned fdmap__decode(const struct fdmap__head *head, const uint64_t *words, int start,
						      int *fds, unsigned count, unsigned n)
{
	for (uint32_t i = 0; i < head->words; i++) {
		uint64_t word = words[i];
		int base = (int)(head->base + i * 64);

		if (base < start)
			word &= start - base < 64 ? ~0ULL << (start - base) : 0;
		for (; word && n < count; word &= word - 1)
			fds[n++] = base + __builtin_ctzll(word);
	}
	return n;
}

/* Where bpf(2) is forbidden: the stream of every task, and ours picked from it. */
static __attribute__((unused)) __attribute__((noinline)) long fdmap__by_stream(pid_t pid, int *fds, unsigned count,
									       int start)
{
	union {
		char bytes[FDMAP__STREAM];
		uint64_t align;
	} piece;
	int fd = fdmap__get("fdmap_task", 1), wanted = pid ? pid : (int)syscall(SYS_gettid), error = ESRCH;
	long result = -1;
	ssize_t length;

	if (fd < 0)
		return -1;
	while ((length = read(fd, &piece, sizeof(piece))) > 0 || (length < 0 && errno == EAGAIN)) {
		for (ssize_t at = 0; result < 0 && at + (ssize_t)sizeof(struct fdmap__head) <= length;) {
			struct fdmap__head *head = (struct fdmap__head *)(void *)(piece.bytes + at), *verdict = head;
			uint64_t *words = (uint64_t *)(void *)(head + 1);

			if (head->words)
				verdict = (struct fdmap__head *)(void *)(words + head->words);
			at = (char *)(verdict + 1) - piece.bytes;
			if (head->pid != wanted)
				continue;
			error = -verdict->error;
			if (error)
				continue;
			/* the stream's own descriptor is not part of the answer */
			if (wanted == (int)syscall(SYS_gettid) && (uint32_t)fd / 64 < head->words)
				words[fd / 64] &= ~(1ULL << (fd % 64));
			result = fdmap__decode(head, words, start, fds, count, 0);
		}
	}
	close(fd);
	if (result < 0)
		errno = error;
	return result;
}

static __attribute__((unused)) __attribute__((noinline)) long fdmap__by_wide(pid_t pid, int *fds, unsigned count,
									     int start, unsigned n)
{
	struct fdmap__wide wide;
	int program = fdmap__program(FDMAP__WIDE);

	if (program < 0)
		return -1;
	memset(&wide, 0, sizeof(wide));
	for (;;) {
		wide.head.abi = FDMAP_ABI;
		wide.head.pid = pid;
		wide.head.start = start;
		if (fdmap__run(program, &wide, sizeof(wide), &wide.head.error))
			return -1;
		n = fdmap__decode(&wide.head, wide.open, start, fds, count, n);
		start = (int)(wide.head.base + wide.head.words * 64);
		if (!wide.head.words || (uint32_t)start >= wide.head.size || n == count)
			return n;
	}
}

FDMAP_STATIC long fdmap(pid_t pid, int *fds, unsigned count, int start, int flags)
{
	struct fdmap__small small;
	int program;
	unsigned n;

	if (start < 0 || flags) {
		errno = EINVAL;
		return -1;
	}
	program = fdmap__program(FDMAP__SMALL);
	if (program < 0)
		return errno == EPERM || errno == ENOSYS ? fdmap__by_stream(pid, fds, count, start) : -1;
	memset(&small, 0, sizeof(small));
	small.head.abi = FDMAP_ABI;
	small.head.pid = pid;
	small.head.start = start;
	if (fdmap__run(program, &small, sizeof(small), &small.head.error))
		return -1;
	n = fdmap__decode(&small.head, small.open, start, fds, count, 0);
	start = (int)(small.head.base + small.head.words * 64);
	if (!small.head.words || (uint32_t)start >= small.head.size || n == count)
		return n;
	return fdmap__by_wide(pid, fds, count, start, n);
}

static __attribute__((unused)) int fdmap__compare(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

/* Sorts `found`, and writes those that are not there yet behind the n in `pids`. */
static __attribute__((unused)) unsigned pidmap__append(int *found, unsigned stored, int *pids, unsigned count, unsigned n)
{
	int last = 0;

	qsort(found, stored, sizeof(*found), fdmap__compare);
	for (unsigned i = 0; i < stored && n < count; i++) {
		if (found[i] != last)
			pids[n++] = found[i];
		last = found[i];
	}
	return n;
}

/* Every visible task, for nested pid namespaces and where bpf(2) is forbidden. */
static __attribute__((unused)) struct pidmap__record *pidmap__records(size_t *count)
{
	size_t length = 0, room = 0;
	char *bytes = NULL;
	int fd = fdmap__get("pidmap_tasks", 1);

	if (fd < 0)
		return NULL;
	for (;;) {
		ssize_t got;

		if (room - length < FDMAP__STREAM) {
			char *larger = (char *)realloc(bytes, room = room * 2 + FDMAP__STREAM);

			if (!larger)
				goto failed;
			bytes = larger;
		}
		got = read(fd, bytes + length, FDMAP__STREAM);
		if (got < 0 && errno == EAGAIN)
			continue;
		if (got < 0)
			goto failed;
		if (!got)
			break;
		length += (size_t)got;
	}
	close(fd);
	*count = length / sizeof(struct pidmap__record);
	return (struct pidmap__record *)(void *)bytes;
failed:
	free(bytes);
	close(fd);
	return NULL;
}

static __attribute__((unused)) long pidmap__by_stream(pid_t pid, int *pids, unsigned count, unsigned start, int flags)
{
	int mode = flags & ~PIDMAP_IGNORE_KTHREADS, named = mode == PIDMAP_CHILDREN || mode == PIDMAP_THREADS;
	int group = pid ? pid : getpid(), error = 0, *found;
	struct pidmap__record *records;
	unsigned stored = 0, n;
	size_t total, i;

	records = pidmap__records(&total);
	if (!records)
		return -1;
	found = (int *)malloc((total + 1) * sizeof(*found));
	if (!found)
		error = ENOMEM;
	for (i = 0; named && i < total && records[i].tid != group; i++)
		;
	if (named && i == total)
		error = ESRCH;
	else if (named && records[i].flags & FDMAP__RECORD_CLOSED)
		error = EACCES;
	else if (named)
		group = records[i].pid; /* the process of a thread */
	for (i = 0; !error && i < total; i++) {
		const struct pidmap__record *r = &records[i];
		int wanted = mode == PIDMAP_TASKS ||
			     (mode == PIDMAP_THREADS ? r->pid == group :
						       r->tid == r->pid && (mode == PIDMAP_PROC || r->ppid == group));

		if (wanted && (unsigned)r->tid >= start &&
		    !(flags & PIDMAP_IGNORE_KTHREADS && r->flags & FDMAP__RECORD_KTHREAD))
			found[stored++] = r->tid;
	}
	n = error ? 0 : pidmap__append(found, stored, pids, count, 0);
	free(found);
	free(records);
	if (!error)
		return n;
	errno = error;
	return -1;
}

FDMAP_STATIC __attribute__((noinline)) long pidmap(pid_t pid, int *pids, unsigned count, unsigned start, int flags)
{
	int mode = flags & ~PIDMAP_IGNORE_KTHREADS, program;
	int64_t from = start ? start : 1, width;
	struct pidmap__wide wide;
	unsigned n = 0;

	if (mode < PIDMAP_TASKS || mode > PIDMAP_THREADS || start > INT_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (!count)
		return 0;
	program = fdmap__program(FDMAP__PIDS);
	if (program < 0)
		return errno == EPERM || errno == ENOSYS ? pidmap__by_stream(pid, pids, count, start, flags) : -1;
	memset(&wide, 0, sizeof(wide));
	width = from < FDMAP__PID_END ? FDMAP__PID_END - from : 1;
	do {
		wide.head.abi = FDMAP_ABI;
		wide.head.mode = (uint32_t)flags;
		wide.head.pid = pid;
		wide.head.start = (int32_t)from;
		wide.head.end = (int32_t)(from + width > INT_MAX ? INT_MAX : from + width);
		if (fdmap__run(program, &wide, sizeof(wide), &wide.head.error))
			return errno == EOPNOTSUPP ? pidmap__by_stream(pid, pids, count, start, flags) : -1;
		if (wide.head.count > sizeof(wide.pids) / sizeof(*wide.pids)) {
			/* too many for the buffer: a narrower window of the numbers */
			width = width * 6000 / wide.head.count;
			width = width > 0 ? width : 1;
			continue;
		}
		n = pidmap__append(wide.pids, wide.head.stored, pids, count, n);
		from += width;
		if (from + width > FDMAP__PID_END)
			width = FDMAP__PID_END - from;
	} while (from < FDMAP__PID_END && n < count);
	return n;
}

FDMAP_STATIC int fdmap_open(void)
{
	for (int which = 0; which < FDMAP__PROGRAMS; which++)
		if (fdmap__program(which) < 0)
			return -1;
	return 0;
}

FDMAP_STATIC int fdmap_open_stream(const char *iterator)
{
	return fdmap__get(iterator, 1);
}

#endif
