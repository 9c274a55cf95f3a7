/* SPDX-License-Identifier: MIT */
/* readfiles.c - open, read, read, close of /proc/PID/stat, for each PID. */
#include "contestant.h"

static int pids;
static char **names;
static char text[1 << 16];

static long ask(int32_t *into)
{
	for (int i = 0; i < pids; i++) {
		char path[32];
		int fd;
		long length;

		snprintf(path, sizeof(path), "/proc/%s/stat", names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		length = read(fd, text, sizeof(text));
		if (length < 0 || read(fd, text + length, sizeof(text) - length) != 0)
			return -1;
		close(fd);
		into[i] = atoi(text);
	}
	return pids;
}

int main(int argc, char **argv)
{
	pids = argc - 1;
	names = argv + 1;
	return serve();
}
