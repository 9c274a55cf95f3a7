/*
 * threads.c - a process of three threads: the first, one that shares its
 * descriptor table, and one that has its own. 40 is open in both tables, 50 in
 * the second alone. Prints the numbers of the two; with "leaves" the first exits.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t started;
static long numbers[2];

static void *share(void *unused)
{
	(void)unused;
	numbers[0] = syscall(SYS_gettid);
	pthread_barrier_wait(&started);
	pause();
	return NULL;
}

static void *own(void *unused)
{
	(void)unused;
	numbers[1] = syscall(SYS_gettid);
	if (unshare(CLONE_FILES) || dup2(40, 50) != 50)
		_exit(1);
	pthread_barrier_wait(&started);
	pause();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (dup2(open("/dev/null", O_RDONLY), 40) != 40 || pthread_barrier_init(&started, NULL, 3))
		return 1;
	if (pthread_create(&thread, NULL, share, NULL) || pthread_create(&thread, NULL, own, NULL))
		return 1;
	pthread_barrier_wait(&started);
	printf("%ld %ld\n", numbers[0], numbers[1]);
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "leaves"))
		syscall(SYS_exit, 0);
	pause();
	return 0;
}
