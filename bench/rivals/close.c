/* SPDX-License-Identifier: MIT */
/*
 * close.c - closing every descriptor from 100 on, of COUNT that are open, as programs in C do.
 *
 *   close limit|proc|range|cloexec COUNT
 *
 * limit: a loop to RLIMIT_NOFILE; proc: a loop over /proc/self/fd; range: close_range(2);
 * cloexec: close_range(2) with CLOSE_RANGE_CLOEXEC. Opening is not timed. The answer is what
 * is still open (and, for cloexec, would survive an exec).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "contestant.h"

#define FIRST 100
#define CLOEXEC (1 << 2) /* CLOSE_RANGE_CLOEXEC */
static char mode;
static long count;

static long ask(int32_t *into)
{
	(void)into;
	if (mode == 'l') {
		struct rlimit limit;

		getrlimit(RLIMIT_NOFILE, &limit);
		for (rlim_t fd = FIRST; fd < limit.rlim_cur; fd++)
			close(fd);
	} else if (mode == 'p') {
		DIR *dir = opendir("/proc/self/fd");
		struct dirent *entry;

		if (!dir)
			return -1;
		while ((entry = readdir(dir))) {
			int fd = atoi(entry->d_name);

			if (fd >= FIRST && fd != dirfd(dir))
				close(fd);
		}
		closedir(dir);
	} else {
		return syscall(SYS_close_range, FIRST, ~0U, mode == 'c' ? CLOEXEC : 0);
	}
	return 0;
}

static void open_all(void)
{
	int one = open("/etc/passwd", O_RDONLY);

	if (one < 0 || dup2(one, FIRST) < 0)
		die("open");
	close(one);
	for (long fd = FIRST + 1; fd < FIRST + count; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			fcntl(fd, F_SETFD, 0);
		else if (open("/etc/passwd", O_RDONLY) < 0)
			die("open");
	}
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc < 3)
		return 2;
	mode = argv[1][0];
	count = atol(argv[2]);
	/* Below FIRST nothing is free, so that open(2) goes on from there. */
	for (int fd = 0; fd < FIRST; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			die("open");
	while (fgets(line, sizeof(line), stdin)) {
		double spent = 0;
		int answer = !strcmp(line, "answer\n");

		for (long i = answer ? 1 : atol(line + 4); i > 0; i--) {
			double start;

			open_all();
			start = now();
			if (ask(numbers) < 0)
				die("ask");
			spent += now() - start;
		}
		if (answer) {
			for (long fd = FIRST; fd < FIRST + count; fd++)
				if (fcntl(fd, F_GETFD) == 0)
					printf("%ld ", fd);
			puts("");
		} else {
			printf("%.0f\n", spent);
		}
		fflush(stdout);
	}
	return 0;
}
