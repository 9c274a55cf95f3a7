/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* ids.bpf.h - who a task is: its numbers, its state, its user. */
#ifndef FDMAP_PIDINFO_IDS_BPF_H
#define FDMAP_PIDINFO_IDS_BPF_H

#include "slot.bpf.h"
#include "boot.bpf.h"
#include "../access.bpf.h"
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

/* In the initial pid namespace every process has a number, the first one, and it is a plain load away. */
static __always_inline __s32 initial_nr(struct pid *pid)
{
	return pid ? pid->numbers[0].nr : 0;
}

static __always_inline void add_status(struct slot *slot, struct task_struct *task, const struct pidns *ns)
{
	struct task_struct___status *status = (void *)task;
	struct signal_struct___status *signal = status->signal;
	struct pidinfo_status *out = GROUP(slot, status, PIDINFO_STATUS);

	if (!out)
		return;
	out->ppid = tgid_in(task->real_parent, ns);
	if (ns->level) {
		out->pgid = pid_nr_in(BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]), ns);
		out->sid = pid_nr_in(BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]), ns);
	} else {
		out->pgid = initial_nr(signal->pids[PIDTYPE_PGID]);
		out->sid = initial_nr(signal->pids[PIDTYPE_SID]);
	}
	out->state = status->__state | status->exit_state;
	out->task_flags = status->flags;
	out->threads = signal->nr_threads;
	out->tty = tty_number(signal->tty);
	bpf_core_read(out->command, sizeof(out->command), &status->comm);
}

#ifndef PIDINFO_BASIC
struct mapping {
	struct uid_gid_extent *extents;
	__u32 id;
	__u32 count;
};

/* One extent of map_id_up() in kernel/user_namespace.c; 1 ends the search. */
static long map_one(__u32 i, struct mapping *mapping)
{
	struct uid_gid_extent *extent = (void *)mapping->extents + i * bpf_core_type_size(struct uid_gid_extent);
	__u32 first = BPF_CORE_READ(extent, first), lower = BPF_CORE_READ(extent, lower_first);

	if (mapping->id - lower >= BPF_CORE_READ(extent, count))
		return 0;
	mapping->id = first + (mapping->id - lower);
	mapping->count = 0;
	return 1;
}

/*
 * from_kuid_munged(): an id as the caller's user namespace has it. The overflow
 * id is the default of /proc/sys/kernel/overflowuid, which is out of our reach.
 */
static __noinline __u32 map_id(struct uid_gid_map *map, __u32 id)
{
	struct mapping mapping = { .id = id };

	mapping.count = BPF_CORE_READ(map, nr_extents);
	mapping.extents = mapping.count > UID_GID_MAP_MAX_BASE_EXTENTS ? BPF_CORE_READ(map, forward)
								       : &map->extent[0];
	if (!mapping.count)
		return OVERFLOW_ID;
	bpf_loop(UID_GID_MAP_MAX_EXTENTS < mapping.count ? UID_GID_MAP_MAX_EXTENTS : mapping.count, map_one,
		 &mapping, 0);
	/* what was found has set it to 0 */
	return mapping.count ? OVERFLOW_ID : mapping.id;
}

/* The ids as they are in the initial user namespace, as the caller's own has them. */
static __always_inline void map_ids(struct user_namespace___status *users, struct pidinfo_creds *out)
{
	out->uid = map_id(&users->uid_map, out->uid);
	out->euid = map_id(&users->uid_map, out->euid);
	out->suid = map_id(&users->uid_map, out->suid);
	out->fsuid = map_id(&users->uid_map, out->fsuid);
	out->gid = map_id(&users->gid_map, out->gid);
	out->egid = map_id(&users->gid_map, out->egid);
	out->sgid = map_id(&users->gid_map, out->sgid);
	out->fsgid = map_id(&users->gid_map, out->fsgid);
}
#endif

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
	out->cap_effective = effective_caps(cred);
#ifndef PIDINFO_BASIC
	if (slot->users)
		map_ids((void *)slot->users, out);
#endif
}

#endif
