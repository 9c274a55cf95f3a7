/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* boot.bpf.h - when the clock of start times began, for a caller in a time namespace. */
#ifndef FDMAP_PIDINFO_BOOT_BPF_H
#define FDMAP_PIDINFO_BOOT_BPF_H

#include "kernel.h"

/* What to add to a start time: stat(5) shows it in the reader's time namespace. */
static __always_inline __s64 boot_offset_of(struct task_struct *caller)
{
	struct task_struct___status *status = (void *)caller;
	struct nsproxy *nsproxy = status->nsproxy;
	struct time_namespace *ns;

	if (!nsproxy)
		return 0;
	ns = nsproxy->time_ns;
	return ns ? ns->offsets.boottime.tv_sec * 1000000000LL + ns->offsets.boottime.tv_nsec : 0;
}

#endif
