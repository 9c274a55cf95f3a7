/* SPDX-License-Identifier: MIT */
/*
 * readdir.c - what /proc offers to a program in C.
 *
 *   readdir fds PID|self [COUNT]   names of /proc/PID/fd; holds COUNT descriptors itself
 *   readdir tasks                  names of /proc and of every /proc/PID/task
 *   readdir children PID           /proc/PID/task/PID/children
 */
#define _GNU_SOURCE
#include <dirent.h>
#include "contestant.h"

static char path[64];
static char mode;

static long names(const char *directory, int32_t *into, int tasks)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	long count = 0;

	if (!dir)
		return tasks ? -1 : 0; /* a process that is gone has no tasks */
	while ((entry = readdir(dir))) {
		int number;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		number = atoi(entry->d_name);
		if (tasks) {
			char task[32];

			snprintf(task, sizeof(task), "/proc/%d/task", number);
			count += names(task, into + count, 0);
		} else if (mode != 's' || number != dirfd(dir)) {
			into[count++] = number;
		}
	}
	closedir(dir);
	return count;
}

static long children(int32_t *into)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long count = 0, length;
	char *at = text;

	if (fd < 0)
		return -1;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length < 0)
		return -1;
	for (text[length] = 0; *at; at++)
		into[count++] = strtol(at, &at, 10);
	return count;
}

static long ask(int32_t *into)
{
	if (mode == 'c')
		return children(into);
	return names(path, into, mode == 't');
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "tasks")) {
		mode = 't';
		strcpy(path, "/proc");
	} else if (!strcmp(argv[1], "children")) {
		mode = 'c';
		snprintf(path, sizeof(path), "/proc/%s/task/%s/children", argv[2], argv[2]);
	} else {
		mode = strcmp(argv[2], "self") ? 'f' : 's';
		snprintf(path, sizeof(path), "/proc/%s/fd", argv[2]);
		if (argc > 3)
			hold(atol(argv[3]));
	}
	return serve();
}
