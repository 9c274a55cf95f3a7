/*
 * forge.c - what a stranger may try with the pinned programs.
 *
 *	forge contexts SECONDS		random contexts of random sizes, on all CPUs
 *	forge pair CALLS		two processes on one CPU, each looking for the
 *					other's descriptors in its own answers
 *	forge constants			tries to read the programs' constants
 *
 * Run as a user who may read nobody but himself. Exit 0, or 1 and what was wrong.
 */
#define _GNU_SOURCE
#include <fdmap.h>
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

/* One call; half of the questions are nearly right ones, which reach further. */
static void forge_one(const char *name, int program, uint32_t expected, uint64_t *state)
{
	static __thread uint64_t context[8192];
	struct fdmap__head *head = (void *)context;
	struct fdmap__attr_run attr = { .prog_fd = (uint32_t)program, .ctx_in = (uintptr_t)context };
	uint32_t size = random_word(state) % 4 ? expected : random_word(state) % sizeof(context);
	int32_t error;

	for (uint32_t i = 0; i < size / 8 && i < 64; i++)
		context[i] = random_word(state);
	if (random_word(state) % 2) {
		head->abi = FDMAP_ABI;
		head->flags = name[0] == 'p' ? 1 + random_word(state) % 4 : 0; /* the mode of pidmap */
		head->pid = random_word(state) % 4 ? (int32_t)(random_word(state) % 40000) : 0;
		head->start = random_word(state) % 2 ? 0 : (int32_t)random_word(state);
	}
	attr.ctx_size_in = size;
	if (random_word(state) % 16 == 0)
		attr.ctx_in = random_word(state); /* not our memory, most likely */
	if (syscall(SYS_bpf, FDMAP__RUN, &attr, sizeof(attr)))
		return;
	__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
	if (size < expected)
		fail("a context that is too small was taken", size, expected);
	if (name[0] == 'p') {
		const struct pidmap__head *p = (void *)context;

		error = p->error;
		if (!error && p->stored > sizeof(((struct pidmap__wide *)0)->pids) / 4)
			fail("more numbers than fit", p->stored, p->count);
	} else {
		error = head->error;
		if (strcmp(name, "fdmap_request") == 0)
			head->words = 0; /* answers with an error alone */
		if (!error && head->words)
			__atomic_fetch_add(&answers, 1, __ATOMIC_RELAXED);
		/* threads of this process have numbers just above its own */
		if (!error && head->words && head->pid && syscall(SYS_tgkill, getpid(), head->pid, 0))
			fail("an answer about somebody else", head->pid, head->words);
		if (head->words > 4090)
			fail("more words than fit", head->words, 0);
	}
	if (error && error != -EINVAL && error != -ESRCH && error != -EACCES && error != -EBUSY && error != -EAGAIN)
		fail("an error of no meaning", error, 0);
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
	static const struct {
		const char *name;
		uint32_t size;
	} programs[] = {
		{ "fdmap_small", sizeof(struct fdmap__small) },
		{ "fdmap_wide", sizeof(struct fdmap__wide) },
		{ "pidmap_small", 4096 },
		{ "pidmap_wide", sizeof(struct pidmap__wide) },
		{ "fdmap_self_small", sizeof(struct fdmap__small) },
		{ "fdmap_request", 20 }, /* up to its error */
	};
	uint64_t state = 0x9e3779b97f4a7c15ULL * (1 + (uintptr_t)argument);
	int fds[6];

	for (int i = 0; i < 6; i++) {
		fds[i] = fdmap__get(programs[i].name, 0);
		if (fds[i] < 0)
			fail(programs[i].name, errno, 0);
	}
	while (now() < until)
		for (int i = 0; i < 600; i++)
			forge_one(programs[i % 6].name, fds[i % 6], programs[i % 6].size, &state);
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

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "contexts"))
		contexts(atof(argv[2]));
	else if (argc > 2 && !strcmp(argv[1], "pair"))
		pair(atoi(argv[2]));
	else if (argc > 1 && !strcmp(argv[1], "constants"))
		constants();
	else
		return 2;
	return failures > 0;
}
