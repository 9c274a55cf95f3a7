/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* steps.bpf.h - how long a call may go on under RCU, whatever the caller names. */
#ifndef FDMAP_PIDINFO_STEPS_BPF_H
#define FDMAP_PIDINFO_STEPS_BPF_H

/*
 * Threads that were visited, and pieces of tables that were counted, after which a
 * call begins no further record: some 10 ms. Whoever names a process of a million
 * threads five hundred times is told of it once a call, and asks again for the rest.
 */
#define STEPS_MOST (256 * 1024)

/* Of a descriptor table of `size`: as count_words() takes it. */
#define STEPS_OF_TABLE(size) ((size) / (64 * WORDS))

#endif
