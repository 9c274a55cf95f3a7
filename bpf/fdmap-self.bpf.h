/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * fdmap-self.bpf.h - fdmap(0): the caller's own descriptors. Needs no function
 * that came after 5.14, checks nothing (nobody is refused himself) and loads in
 * a moment.
 */
#ifndef FDMAP_FDMAP_SELF_BPF_H
#define FDMAP_FDMAP_SELF_BPF_H

#include "fdmap.bpf.h"

static __always_inline int fdmap_self(const struct fdmap_head *question, __u64 *words, const __u32 room,
				      struct window *window)
{
	if (question->pid != 0)
		return -EINVAL;
	return read_window(bpf_get_current_task_btf(), question->start, words, room, window);
}

#endif
