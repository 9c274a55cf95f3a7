/*
 * The open descriptors of processes, one line each:
 *
 *	cc -O2 -I../../include fds.c -o fds
 *	./fds              every process that may be read
 *	./fds 1 4711       these
 */
#include <fdmap.h>

enum { PIECE = 4096 };

static int print_descriptors(pid_t pid)
{
	int fds[PIECE], start = 0;
	long n;

	printf("%d:", pid);
	while ((n = fdmap(pid, fds, PIECE, start, 0)) > 0) {
		for (long i = 0; i < n; i++)
			printf(" %d", fds[i]);
		start = fds[n - 1] + 1;
	}
	if (n < 0)
		printf(" %s", strerror(errno));
	putchar('\n');
	return n < 0;
}

int main(int argc, char **argv)
{
	int pids[PIECE], failed = 0;
	unsigned start = 0;
	long n;

	for (int i = 1; i < argc; i++)
		failed |= print_descriptors(atoi(argv[i]));
	if (argc > 1)
		return failed;
	while ((n = pidmap(0, pids, PIECE, start, PIDMAP_PROC | PIDMAP_IGNORE_KTHREADS)) > 0) {
		for (long i = 0; i < n; i++)
			print_descriptors(pids[i]);
		start = (unsigned)pids[n - 1] + 1;
	}
	if (n < 0)
		perror("pidmap");
	return n < 0;
}
