/* SPDX-License-Identifier: MIT */
/*
 * contestant.h - the protocol of bench/harness.mjs for contestants in C: a line
 * "answer" is answered by numbers, a line "run N" by nanoseconds of N questions.
 * Including files define `long ask(int32_t *into)`.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#define ROOM (1 << 20)
static int32_t numbers[ROOM];

static long ask(int32_t *into);

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Opens descriptors until `want` are open. */
static inline void hold(long want)
{
	for (long fd = 0; fd < ROOM; fd++)
		want -= fcntl(fd, F_GETFD) >= 0;
	while (want-- > 0)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			die("open");
}

static inline int serve(void)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "answer\n")) {
			long count = ask(numbers);

			for (long i = 0; i < count; i++)
				printf("%s%d", i ? " " : "", numbers[i]);
			puts("");
		} else {
			long times = atol(line + 4);
			double start = now();

			for (long i = 0; i < times; i++)
				if (ask(numbers) < 0)
					die("ask");
			printf("%.0f\n", now() - start);
		}
		fflush(stdout);
	}
	return 0;
}
