/*
 * closefrom(3) of the BSDs and Solaris, driven by the real list: closes every
 * descriptor from `low` on, however high it is, and calls close(2) for none
 * that is not open.
 *
 *	cc -O2 -I../../include closefrom.c -o closefrom
 *	./closefrom 3 ls -l /proc/self/fd
 */
#include <fdmap.h>

static int fdmap_closefrom(int low)
{
	int fds[1024];
	long n;

	while ((n = fdmap(0, fds, sizeof(fds) / sizeof(*fds), low, 0)) > 0) {
		low = fds[n - 1] + 1;
		/* the calls' own descriptors go as well: nothing is called after the last of them */
		for (long i = 0; i < n; i++) {
			int own = 0;

			for (int which = 0; which < FDMAP__PROGRAMS; which++)
				own |= fds[i] == fdmap__fd[which];
			if (!own) /* they are close-on-exec */
				close(fds[i]);
		}
	}
	return (int)n;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: closefrom LOWEST COMMAND [ARGUMENT...]\n");
		return 2;
	}
	if (fdmap_closefrom(atoi(argv[1]))) {
		perror("closefrom");
		return 1;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
