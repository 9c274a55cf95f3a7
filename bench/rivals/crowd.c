/* SPDX-License-Identifier: MIT */
/*
 * crowd.c - PROCESSES processes with DESCRIPTORS descriptors each: half of them
 * files, the rest pipes, sockets of three families and eventfds in equal parts.
 *
 *	crowd PROCESSES DESCRIPTORS FOLDER PORT
 *
 * Files are FOLDER/1, FOLDER/2 and so on. Process 1 also listens on
 * 127.0.0.1:PORT, and has FOLDER/held open, each under one of those numbers.
 * Prints one pid a line and an empty line, and ends with its standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

static int open_file(const char *folder, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return must(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), path);
}

static int listener(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket"), on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	return must(listen(fd, 8), "listen"), fd;
}

/* Opens descriptors until number `last` is taken, and none above it. */
static void fill(const char *folder, int last)
{
	char name[16];
	int ends[2] = {}, fd = 0;

	for (int i = 0; fd < last; i++) {
		switch (i & 15) {
		case 1:
			must(pipe(ends), "pipe");
			fd = ends[1];
			break;
		case 5:
			fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
			break;
		case 7:
			fd = must(socket(AF_INET6, SOCK_DGRAM, 0), "socket");
			break;
		case 9:
		case 11:
			must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
			fd = ends[1];
			break;
		case 13:
			fd = must(eventfd(i, 0), "eventfd");
			break;
		default:
			snprintf(name, sizeof(name), "%d", i);
			fd = open_file(folder, name);
		}
	}
	if (fd > last)
		close(fd);
}

int main(int argc, char **argv)
{
	int processes, descriptors, port;

	if (argc != 5)
		return 2;
	processes = atoi(argv[1]);
	descriptors = atoi(argv[2]);
	port = atoi(argv[4]);
	for (int i = 0; i < processes; i++) {
		int ready[2];
		pid_t pid;
		char c;

		must(pipe2(ready, O_CLOEXEC), "pipe2");
		pid = must(fork(), "fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(0);
			close(ready[0]);
			must(dup2(ready[1], descriptors + 8), "dup2");
			close_range(3, descriptors + 7, 0);
			close_range(descriptors + 9, ~0U, 0);
			open("/dev/null", O_RDONLY);
			dup2(2, 1);
			if (i == 0) {
				listener(port);
				open_file(argv[3], "held");
			}
			fill(argv[3], descriptors - 1);
			must(write(descriptors + 8, "", 1), "write");
			close(descriptors + 8);
			for (;;)
				pause();
		}
		close(ready[1]);
		if (read(ready[0], &c, 1) != 1)
			return 1;
		close(ready[0]);
		printf("%d\n", pid);
	}
	puts("");
	fflush(stdout);
	/* the others end with this one */
	while (read(0, &(char){ 0 }, 1) > 0)
		;
	return 0;
}
