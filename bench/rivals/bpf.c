/* SPDX-License-Identifier: MIT */
/*
 * bpf.c - the library's own system call, made from C: fdmap(PID) by the programs
 * that it was given as descriptors, found by name.
 *
 *   bpf PID COUNT   PID 0 is itself; holds COUNT descriptors (0: as they come)
 */
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <sys/syscall.h>
#include "contestant.h"
#include "fdmap.h"

static struct fdmap_wide context;
static union bpf_attr attributes;
static int small = -1, wide = -1, pid;

static int find(const char *name)
{
	for (int fd = 3; fd < 64; fd++) {
		struct bpf_prog_info info = {};
		union bpf_attr attr = {};

		attr.info.bpf_fd = fd;
		attr.info.info_len = sizeof(info);
		attr.info.info = (uintptr_t)&info;
		if (!syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) &&
		    !strncmp(info.name, name, BPF_OBJ_NAME_LEN - 1))
			return fd;
	}
	fprintf(stderr, "no program %s\n", name);
	exit(1);
}

static void run(int program, size_t size, int start)
{
	context.head = (struct fdmap_head){ .abi = FDMAP_ABI, .pid = pid, .start = start };
	attributes.test.prog_fd = program;
	attributes.test.ctx_in = (uintptr_t)&context;
	attributes.test.ctx_size_in = size;
	if (syscall(SYS_bpf, BPF_PROG_RUN, &attributes, sizeof(attributes.test)) || context.head.error)
		die("bpf");
}

static long ask(int32_t *into)
{
	long count = 0;
	int program = small, start = 0;
	size_t size = sizeof(struct fdmap_small);

	for (;;) {
		run(program, size, start);
		for (__u32 i = 0; i < context.head.words; i++)
			for (__u64 word = context.open[i]; word; word &= word - 1)
				into[count++] = context.head.base + i * 64 + __builtin_ctzll(word);
		start = context.head.base + context.head.words * 64;
		if (!context.head.words || start >= (int)context.head.size)
			return count;
		program = wide;
		size = sizeof(context);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	pid = atoi(argv[1]);
	small = find("fdmap_small");
	wide = find("fdmap_wide");
	hold(atol(argv[2]));
	return serve();
}
