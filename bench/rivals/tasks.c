/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - a world for pidmap: COUNT tasks, in processes of four threads that
 * wait. They end when the standard input does.
 *
 *   tasks COUNT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4

static void *wait_for_the_end(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	long left = argc > 1 ? atol(argv[1]) : 0;
	int ready[2];
	char byte;

	if (pipe(ready))
		return 1;
	for (long processes = 0; left > 0; left -= THREADS, processes++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (pid == 0) {
			pthread_attr_t attr;
			pthread_t thread;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pthread_attr_init(&attr);
			pthread_attr_setstacksize(&attr, 64 * 1024);
			for (long i = 1; i < THREADS && i < left; i++)
				if (pthread_create(&thread, &attr, wait_for_the_end, NULL))
					_exit(1);
			if (write(ready[1], "", 1) != 1)
				_exit(1);
			wait_for_the_end(NULL);
		}
		if (read(ready[0], &byte, 1) != 1)
			return 1;
		printf("%d ", pid);
	}
	puts("");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0; /* the death signal ends the others */
}
