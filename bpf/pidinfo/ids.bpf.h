/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* ids.bpf.h - who a task is: its numbers, its state, its user. */
#ifndef FDMAP_PIDINFO_IDS_BPF_H
#define FDMAP_PIDINFO_IDS_BPF_H

#include "slot.bpf.h"
#include "../pidns.bpf.h"

/* new_encode_dev() of include/linux/kdev_t.h, as /proc/PID/stat prints tty_nr */
static __always_inline __u32 tty_number(struct tty_struct *tty)
{
	struct tty_driver *driver;
	__u32 major, minor;

	if (!tty)
		return 0;
	driver = tty->driver;
	if (!driver)
		return 0;
	major = driver->major;
	minor = driver->minor_start + tty->index;
	return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

static __always_inline void add_status(struct slot *slot, struct task_struct *task, const struct pidns *ns)
{
	struct task_struct___status *status = (void *)task;
	struct signal_struct___status *signal = status->signal;
	struct pidinfo_status *out = GROUP(slot, status, PIDINFO_STATUS);

	if (!out)
		return;
	out->ppid = tgid_in(task->real_parent, ns);
	out->pgid = pid_nr_in(signal->pids[PIDTYPE_PGID], ns);
	out->sid = pid_nr_in(signal->pids[PIDTYPE_SID], ns);
	out->state = status->__state | status->exit_state;
	out->task_flags = status->flags;
	out->threads = signal->nr_threads;
	out->tty = tty_number(signal->tty);
	bpf_core_read(out->command, sizeof(out->command), &status->comm);
}

static __always_inline void add_creds(struct slot *slot, struct task_struct *task)
{
	const struct cred *cred = task->real_cred;
	struct pidinfo_creds *out = GROUP(slot, creds, PIDINFO_CREDS);

	if (!out)
		return;
	out->uid = cred->uid.val;
	out->euid = cred->euid.val;
	out->suid = cred->suid.val;
	out->fsuid = cred->fsuid.val;
	out->gid = cred->gid.val;
	out->egid = cred->egid.val;
	out->sgid = cred->sgid.val;
	out->fsgid = cred->fsgid.val;
	out->pad = 0;
	/* by size: the member's name and type changed in 6.3 (f122a08b197d) */
	bpf_core_read(&out->cap_effective, sizeof(out->cap_effective), &cred->cap_effective);
}

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
