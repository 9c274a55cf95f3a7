/* SPDX-License-Identifier: MIT */
/*
 * header.c - the pinned calls by include/fdmap.h.
 *
 *   header PID|self [COUNT]   fdmap(); holds COUNT descriptors itself
 */
#include "contestant.h"
#include "../../include/fdmap.h"

static pid_t pid;

static long ask(int32_t *into)
{
	return fdmap(pid, into, ROOM, 0, 0);
}

int main(int argc, char **argv)
{
	if (argc < 2 || fdmap_open())
		die("fdmap_open");
	pid = strcmp(argv[1], "self") ? atoi(argv[1]) : 0;
	if (argc > 2)
		hold(atol(argv[2]));
	return serve();
}
