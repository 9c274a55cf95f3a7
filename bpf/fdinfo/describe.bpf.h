/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * describe.bpf.h - one file into a record: what every descriptor has. Shared by
 * the iterators of descriptors, of cwd, root and exe, and of mapped files.
 */
#ifndef FDMAP_DESCRIBE_BPF_H
#define FDMAP_DESCRIBE_BPF_H

#include "classify.bpf.h"
#include "request.bpf.h"
#include "write.bpf.h"

/* Types that a path says more about than their name does. */
#define WITH_PATH                                                                                   \
	(1ULL << FDINFO_UNKNOWN | 1ULL << FDINFO_FILE | 1ULL << FDINFO_DIR | 1ULL << FDINFO_SYMLINK | \
	 1ULL << FDINFO_BLOCK | 1ULL << FDINFO_CHAR | 1ULL << FDINFO_FIFO | 1ULL << FDINFO_MQUEUE)

/* A socket has one where it is the place in a directory (O_PATH). */
static __always_inline bool has_path(const struct subject *s)
{
	return 1ULL << s->record.type & WITH_PATH || (s->record.type == FDINFO_SOCKET && s->magic != SOCKFS_MAGIC);
}

/* The caller's storage with a record of nothing, or NULL. */
static __always_inline struct subject *subject_of(struct task_struct *caller)
{
	return bpf_task_storage_get(&subjects, caller, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline int take_subject_request(struct fdinfo_request *ctx)
{
	struct subject *s = subject_of(bpf_get_current_task_btf());

	return take_request(ctx, s ? &s->request : NULL);
}

/* Who holds it. False: not visible in the caller's pid namespace, or not to be described. */
static __always_inline bool begin(struct subject *s, struct task_struct *caller, struct task_struct *task)
{
	struct fdinfo_record *r = &s->record;
	struct task_struct___command *leader = (void *)task->group_leader;
	struct pidns ns;

	/* the namespace of a thread's own number is the same all its life */
	if (!s->caller.ns && !pidns_of(caller, &s->caller))
		return false;
	ns = s->caller;
	__builtin_memset(r, 0, sizeof(*r));
	s->class_size = s->list_size = s->name_size = s->path_size = 0;
	s->written = 0;
	r->pid = tgid_in(task, &ns);
	r->tid = tid_in(task, &ns);
	bpf_core_read(r->command, sizeof(r->command), &leader->comm);
	r->head.mask = FDINFO_HAS_COMMAND;
	if (caller->cred->user_ns->level == 0) {
		r->process_uid = task->real_cred->euid.val;
		r->head.mask |= FDINFO_HAS_PROCESS_UID;
	}
	return r->pid > 0 && r->tid > 0;
}

static __always_inline void describe_inode(struct subject *s, struct inode *inode, struct dentry *dentry,
					   struct vfsmount *mount)
{
	struct fdinfo_record *r = &s->record;
	struct mount *real;
	const unsigned char *name;

	s->inode = (__u64)inode;
	s->magic = inode->i_sb->s_magic;
	r->inode = inode->i_ino;
	r->mode = inode->i_mode;
	r->nlink = inode->i_nlink;
	r->dev = inode->i_sb->s_dev;
	r->head.mask |= FDINFO_HAS_INODE | FDINFO_HAS_MODE | FDINFO_HAS_NLINK | FDINFO_HAS_DEV;
	if (r->head.mask & FDINFO_HAS_PROCESS_UID) {
		r->uid = inode->i_uid.val;
		r->head.mask |= FDINFO_HAS_UID;
	}
	real = (void *)mount - bpf_core_field_offset(struct mount, mnt);
	r->mount_id = BPF_CORE_READ(real, mnt_id);
	r->head.mask |= FDINFO_HAS_MOUNT_ID;
	name = dentry->d_name.name;
	*(__u64 *)s->name.bytes = 0;
	/* of all others classify() looks at no name */
	if (s->magic == ANON_INODE_FS_MAGIC ||
	    ((s->magic == TMPFS_MAGIC || s->magic == HUGETLBFS_MAGIC) && mount->mnt_flags & MNT_INTERNAL))
		bpf_probe_read_kernel_str(s->name.bytes, NAME_ROOM, name);
	r->type = classify(s, mount->mnt_flags);
	if (s->magic == ANON_INODE_FS_MAGIC || s->magic == PIDFS_MAGIC)
		/* hidden from stat(2): anon_inode_getattr(), pidfs_getattr() */
		r->mode &= ~S_IFMT;
	if ((1ULL << r->type & (1ULL << FDINFO_FILE | 1ULL << FDINFO_DIR | 1ULL << FDINFO_SYMLINK |
				1ULL << FDINFO_MEMFD | 1ULL << FDINFO_MQUEUE))) {
		r->size = inode->i_size;
		r->head.mask |= FDINFO_HAS_SIZE;
	}
	if (1ULL << r->type & (1ULL << FDINFO_BLOCK | 1ULL << FDINFO_CHAR)) {
		r->rdev = inode->i_rdev;
		r->head.mask |= FDINFO_HAS_RDEV;
	}
	if (has_path(s)) {
		/* d_unlinked() of include/linux/dcache.h */
		if (!dentry->d_hash.pprev && dentry != dentry->d_parent)
			r->bits |= FDINFO_DELETED;
		r->head.mask |= FDINFO_HAS_DELETED;
	}
}

/* What can be decided before the costly part. */
static __always_inline bool wanted(const struct subject *s)
{
	const struct fdinfo_request *q = &s->request;
	const struct fdinfo_record *r = &s->record;
	__u32 filters = q->filters;

	if (filters & FDINFO_BY_TYPE && !(q->types >> r->type & 1))
		return false;
	if (filters & FDINFO_BY_INODE && q->inode != r->inode)
		return false;
	if (filters & FDINFO_BY_DEV && q->dev != r->dev)
		return false;
	if (filters & FDINFO_BY_PORT) {
		const struct fdinfo_inet *inet = &s->class.inet;

		if (s->class_size != sizeof(*inet) || inet->head.type != FDINFO_A_INET)
			return false;
		return inet->local_port == q->port || inet->remote_port == q->port;
	}
	return true;
}

/* The path of what has one; `length` is bpf_d_path()'s, its NUL included. */
static __always_inline void set_path(struct subject *s, long length)
{
	/* an error is a huge number here */
	__u64 bytes = AT_MOST(length - 1, PATH_ROOM - 1);

	if (bytes) {
		__builtin_memset(s->path.bytes + bytes, 0, 8);
		s->path.head.type = FDINFO_A_PATH;
		s->path.head.length = sizeof(s->path.head) + bytes;
		s->path_size = ALIGN8(s->path.head.length);
	} else {
		/* ENAMETOOLONG, as readlink(2) of /proc/PID/fd/N */
		s->record.head.flags |= FDMAP_TRUNCATED;
	}
}

/* The name that d_name had is an attribute only where it is one: of a memfd or an unknown anonymous inode. */
static __always_inline void keep_name(struct subject *s, struct dentry *dentry)
{
	const unsigned char *name = dentry->d_name.name;

	if (s->record.type == FDINFO_ANON)
		set_name_string(s, name);
	else if (s->record.type == FDINFO_MEMFD)
		set_name_string(s, name + 6);
}

#endif
