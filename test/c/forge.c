/*
 * forge.c - what a stranger may try with the pinned programs.
 *
 *	forge contexts SECONDS		random contexts of random sizes, on all CPUs
 *	forge pair CALLS		two processes on one CPU, each looking for the
 *					other's descriptors in its own answers
 *	forge constants			tries to read the programs' constants
 *	forge search TEXT PID		asks each program about a process, and says
 *					a line each: its name, and 1 where TEXT is
 *					anywhere in the answer's context
 *
 * Run as a user who may read nobody but himself. Exit 0, or 1 and what was wrong.
 */
#define _GNU_SOURCE
#include <fdmap.h>
#include "pidinfo-head.h"
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

static int failures;
static long calls, answers;

static void fail(const char *what, long a, long b)
{
	if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < 10)
		printf("%s: %ld %ld\n", what, a, b);
}

static uint64_t random_word(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void check_fdmap(const void *context)
{
	const struct fdmap__head *head = context;

	if (!head->error && head->words)
		__atomic_fetch_add(&answers, 1, __ATOMIC_RELAXED);
	/* threads of this process have numbers just above its own */
	if (!head->error && head->words && head->pid && syscall(SYS_tgkill, getpid(), head->pid, 0))
		fail("an answer about somebody else", head->pid, head->words);
	if (head->words > 4090)
		fail("more words than fit", head->words, 0);
}

static void check_pidmap(const void *context)
{
	const struct pidmap__wide *wide = context;

	if (!wide->head.error && wide->head.stored > sizeof(wide->pids) / sizeof(*wide->pids))
		fail("more numbers than fit", wide->head.stored, wide->head.count);
}

/* What is not for everybody stands in records of our own threads alone. */
static void check_pidinfo(const void *context)
{
	const struct pidinfo__head *head = context;
	uint32_t room = 4090 * 8, at = 0;

	if (head->error)
		return;
	if (head->bytes > room) {
		fail("more bytes than fit", head->bytes, room);
		return;
	}
	for (uint32_t i = 0; i < head->stored; i++) {
		const struct fdmap_record *record = (const void *)((const char *)(head + 1) + at);
		const struct pidinfo_record *process;

		if (at + sizeof(*record) > head->bytes || record->size > head->bytes - at || record->size < record->fixed ||
		    record->fixed < sizeof(*record)) {
			fail("a record that is none", at, head->bytes);
			return;
		}
		at += record->size;
		process = fdmap_process(record);
		if (!process)
			continue;
		__atomic_fetch_add(&answers, 1, __ATOMIC_RELAXED);
		if ((fdmap_attribute(record, PIDINFO_IO, 0, NULL) || fdmap_attribute(record, PIDINFO_NAMESPACES, 0, NULL)) &&
		    syscall(SYS_tgkill, getpid(), process->tid, 0))
			fail("what is private of somebody else", process->pid, process->tid);
	}
}

static void check_nothing(const void *context)
{
	(void)context;
}

/* Where an answer ends, in bytes of its context. */
static uint32_t end_of_fdmap(const void *context)
{
	const struct fdmap__head *head = context;

	return sizeof(*head) + (head->error ? 0 : head->words * 8);
}

static uint32_t end_of_pidmap(const void *context)
{
	const struct pidmap__head *head = context;

	return sizeof(*head) + head->stored * 4;
}

static uint32_t end_of_counts(const void *context)
{
	const struct pidmap__head *head = context;

	return sizeof(*head) + head->stored * 16;
}

static uint32_t end_of_pidinfo(const void *context)
{
	const struct pidinfo__head *head = context;

	return sizeof(*head) + head->bytes;
}

static uint32_t end_of_request(const void *context)
{
	(void)context;
	return 64;
}

static const struct forged {
	const char *name;
	uint32_t least;		/* of a context; of a request up to its error */
	uint32_t size;
	uint32_t error;		/* where it is */
	void (*check)(const void *context);
	uint32_t (*end)(const void *context);
} programs[] = {
	{ "fdmap_small", sizeof(struct fdmap__small), sizeof(struct fdmap__small), 16, check_fdmap, end_of_fdmap },
	{ "fdmap_wide", sizeof(struct fdmap__wide), sizeof(struct fdmap__wide), 16, check_fdmap, end_of_fdmap },
	{ "fdmap_self_small", sizeof(struct fdmap__small), sizeof(struct fdmap__small), 16, check_fdmap, end_of_fdmap },
	{ "fdmap_self_wide", sizeof(struct fdmap__wide), sizeof(struct fdmap__wide), 16, check_fdmap, end_of_fdmap },
	{ "fdmap_request", 20, sizeof(struct fdmap__head), 16, check_nothing, end_of_request },
	{ "pidmap_small", 4096, 4096, 20, check_nothing, end_of_pidmap },
	{ "pidmap_wide", sizeof(struct pidmap__wide), sizeof(struct pidmap__wide), 20, check_pidmap, end_of_pidmap },
	{ "pidinfo_small", 4096, 4096, 20, check_pidinfo, end_of_pidinfo },
	{ "pidinfo_wide", 32768, 32768, 20, check_pidinfo, end_of_pidinfo },
	{ "pidinfo_request", 24, sizeof(struct pidinfo__head), 20, check_nothing, end_of_request },
	{ "pidinfo_counts", 32768, 32768, 20, check_nothing, end_of_counts },
	{ "fdmap_special_small", sizeof(struct fdmap__small), sizeof(struct fdmap__small), 16, check_fdmap, end_of_fdmap },
	{ "fdinfo_request", 8, 64, 4, check_nothing, end_of_request },
	{ "places_request", 8, 64, 4, check_nothing, end_of_request },
	{ "search_request", 8, 64, 4, check_nothing, end_of_request },
};

enum { PROGRAMS = sizeof(programs) / sizeof(*programs) };

/* Half of the questions are nearly right ones, which reach further. */
static void make_plausible(const struct forged *forged, void *context, uint64_t *state)
{
	struct fdmap__head *head = context;
	struct pidinfo__head *status = context;

	head->abi = FDMAP_ABI;
	if (forged->check == check_pidinfo) {
		status->flags = random_word(state) % 2;
		status->count = random_word(state) % 8 ? 1 + random_word(state) % 8 : (uint32_t)random_word(state);
		for (int i = 0; i < 8; i++)
			((int32_t *)(status + 1))[i] = random_word(state) % 4 ? (int32_t)(random_word(state) % 40000) : getpid();
		return;
	}
	head->flags = forged->name[0] == 'p' ? 1 + random_word(state) % 4 : 0; /* the mode of pidmap */
	head->pid = random_word(state) % 4 ? (int32_t)(random_word(state) % 40000) : 0;
	head->start = random_word(state) % 2 ? 0 : (int32_t)random_word(state);
}

/* Behind an answer there is what the question had there, or zeros; never what somebody else was told. */
static void check_behind(const struct forged *forged, const uint64_t *context, const uint64_t *question, uint32_t size)
{
	for (uint32_t i = (forged->end(context) + 7) / 8; i < size / 8; i++)
		if (context[i] && context[i] != question[i])
			fail("bytes behind an answer", (long)(forged - programs), i * 8);
}

static void forge_one(const struct forged *forged, int program, uint64_t *state)
{
	static __thread uint64_t context[8192], question[8192];
	struct fdmap__attr_run attr = { .prog_fd = (uint32_t)program, .ctx_in = (uintptr_t)context };
	uint32_t size = random_word(state) % 4 ? forged->size : random_word(state) % sizeof(context);
	int32_t error;

	for (uint32_t i = 0; i < size / 8 && i < 64; i++)
		context[i] = random_word(state);
	if (random_word(state) % 2)
		make_plausible(forged, context, state);
	memcpy(question, context, size);
	attr.ctx_size_in = size;
	if (random_word(state) % 16 == 0)
		attr.ctx_in = random_word(state); /* not our memory, most likely */
	if (syscall(SYS_bpf, FDMAP__RUN, &attr, sizeof(attr)))
		return;
	__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
	if (size < forged->least)
		fail("a context that is too small was taken", size, forged->least);
	if (attr.ctx_in != (uintptr_t)context)
		return;
	memcpy(&error, (char *)context + forged->error, sizeof(error));
	forged->check(context);
	check_behind(forged, context, question, size);
	if (error && error != -EINVAL && error != -ESRCH && error != -EACCES && error != -EBUSY && error != -EAGAIN &&
	    error != -ENOMEM) /* storage of the thread: another on this CPU was interrupted in it */
		fail(forged->name, error, size);
}

static double until;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *forger(void *argument)
{
	uint64_t state = 0x9e3779b97f4a7c15ULL * (1 + (uintptr_t)argument);
	int fds[PROGRAMS];

	for (int i = 0; i < PROGRAMS; i++) {
		fds[i] = fdmap__get(programs[i].name, 0);
		/* on kernels before 6.10 most of them are not there */
		if (fds[i] < 0 && errno != ENOSYS)
			fail(programs[i].name, errno, 0);
	}
	while (now() < until)
		for (int i = 0; i < 50 * PROGRAMS; i++)
			if (fds[i % PROGRAMS] >= 0)
				forge_one(&programs[i % PROGRAMS], fds[i % PROGRAMS], &state);
	for (int i = 0; i < PROGRAMS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return NULL;
}

static void contexts(double seconds)
{
	long threads = sysconf(_SC_NPROCESSORS_ONLN) * 2;
	pthread_t thread[64];

	until = now() + seconds;
	for (long i = 0; i < threads && i < 64; i++)
		pthread_create(&thread[i], NULL, forger, (void *)i);
	for (long i = 0; i < threads && i < 64; i++)
		pthread_join(thread[i], NULL);
	printf("%ld calls, %ld answers\n", calls, answers);
	if (!answers)
		fail("nothing was ever answered", calls, 0);
}

/* Descriptors low, low+2, low+4…: the other process has the odd ones. */
static int reader(int low, int count)
{
	static int fds[4096];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int fd = low; fd < 3000; fd += 2)
		if (dup2(0, fd) < 0)
			return 2;
	if (fdmap_open())
		return 3;
	for (int i = 0; i < count; i++) {
		long n = fdmap(getpid(), fds, 4096, 1000, 0), expected = (3001 - low) / 2;

		if (n != expected) {
			printf("%ld descriptors instead of %ld\n", n, expected);
			return 1;
		}
		for (long k = 0; k < n; k++) {
			if (fds[k] % 2 != low % 2) {
				printf("descriptor %d of the other process\n", fds[k]);
				return 1;
			}
		}
	}
	return 0;
}

static void pair(int count)
{
	int status;

	for (int i = 0; i < 2; i++)
		if (!fork())
			_exit((fflush(stdout), status = reader(1000 + i, count), fflush(stdout), status));
	while (wait(&status) > 0)
		if (status)
			fail("a reader failed", WEXITSTATUS(status), status);
}

/* What leads from a program to its constants needs capabilities at each step. */
static void constants(void)
{
	/* struct bpf_prog_info up to its map_ids, and union bpf_attr of two commands */
	struct {
		uint32_t type, id;
		uint8_t tag[8];
		uint32_t jited_len, xlated_len;
		uint64_t jited, xlated, load_time;
		uint32_t uid, nr_map_ids;
		uint64_t map_ids;
	} info;
	uint32_t ids[16] = { 0 };
	char code[65536];
	struct {
		uint32_t fd, length;
		uint64_t info;
	} get = { (uint32_t)fdmap__get("fdmap_small", 0), sizeof(info), (uintptr_t)&info };
	struct {
		uint32_t id, next, flags, pad;
	} by_id = { 0, 0, 0, 0 };

	memset(&info, 0, sizeof(info));
	info.nr_map_ids = 16;
	info.map_ids = (uintptr_t)ids;
	info.xlated = (uintptr_t)code;
	info.xlated_len = sizeof(code);
	if (syscall(SYS_bpf, 15, &get, sizeof(get)))
		return; /* tells nothing at all: good */
	if (info.xlated_len)
		fail("instructions are readable", info.xlated_len, 0);
	for (uint32_t i = 0; i < info.nr_map_ids && i < 16; i++) {
		by_id.id = ids[i];
		if (ids[i] && syscall(SYS_bpf, 14, &by_id, sizeof(by_id)) >= 0)
			fail("a map of the programs can be opened", ids[i], 0);
	}
}

/* Everything that there is to ask about `pid`: kind 0 to 4 are the modes and flags of the calls. */
static void make_question(const struct forged *forged, uint32_t *context, uint32_t kind, int pid)
{
	struct pidinfo__head *status = (void *)context;
	struct pidmap__head *numbers = (void *)context;
	struct fdmap__head *fds = (void *)context;

	memset(context, 0, forged->size);
	fds->abi = FDMAP_ABI;
	if (!strncmp(forged->name, "pidinfo_", 8) && strcmp(forged->name, "pidinfo_counts")) {
		status->flags = kind % 2;
		status->mask = ~0ULL;
		status->count = 1;
		((int32_t *)(status + 1))[0] = pid;
	} else if (forged->name[0] == 'p' && strcmp(forged->name, "places_request")) {
		numbers->mode = kind ? kind : PIDMAP_PROC;
		numbers->pid = pid;
		numbers->end = INT_MAX;
	} else if (!strncmp(forged->name, "fdmap_", 6)) {
		fds->pid = kind % 2 ? 0 : pid;
	} else {
		context[2] = ~0U; /* struct fdinfo_request: what is wanted */
	}
}

/* A stranger's answers, whole contexts, behind those that other callers had from the same slots. */
static void search(const char *text, int pid)
{
	static uint32_t context[16384];

	for (int i = 0; i < PROGRAMS; i++) {
		struct fdmap__attr_run attr = { .ctx_in = (uintptr_t)context, .ctx_size_in = programs[i].size };
		int fd = fdmap__get(programs[i].name, 0), told = 0;

		if (fd < 0) {
			if (errno != ENOSYS)
				fail(programs[i].name, errno, 0);
			continue;
		}
		attr.prog_fd = (uint32_t)fd;
		for (uint32_t kind = 0, tries = 0; kind < 5;) {
			int32_t error;

			make_question(&programs[i], context, kind, pid);
			if (syscall(SYS_bpf, FDMAP__RUN, &attr, sizeof(attr)))
				fail(programs[i].name, errno, kind);
			told |= !!memmem(context, programs[i].size, text, strlen(text));
			memcpy(&error, (char *)context + programs[i].error, sizeof(error));
			/* these pass by themselves: src/backends/kernel/retry.ts */
			if ((error != -EBUSY && error != -EAGAIN && error != -ENOMEM) || ++tries > 10000)
				kind++;
		}
		printf("%s %d\n", programs[i].name, told);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "contexts"))
		contexts(atof(argv[2]));
	else if (argc > 2 && !strcmp(argv[1], "pair"))
		pair(atoi(argv[2]));
	else if (argc > 1 && !strcmp(argv[1], "constants"))
		constants();
	else if (argc > 3 && !strcmp(argv[1], "search"))
		search(argv[2], atoi(argv[3]));
	else
		return 2;
	return failures > 0;
}
