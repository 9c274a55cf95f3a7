/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * notify.bpf.h - inotify watches and fanotify marks: fs/notify/. As fdinfo.c
 * there prints them, without the lock of the list.
 */
#ifndef FDMAP_NOTIFY_BPF_H
#define FDMAP_NOTIFY_BPF_H

#include "write.bpf.h"

#define WATCHES 800		/* in one object's 32,767 bytes */

/* include/uapi/linux/inotify.h, include/linux/fsnotify_backend.h */
#define IN_ALL_EVENTS 0x00000fff
#define IN_EXCL_UNLINK 0x04000000
#define IN_ONESHOT 0x80000000
/* include/linux/fanotify.h: the kernel's own, of a group of an ordinary user; fdinfo leaves it out */
#define FANOTIFY_UNPRIV 0x80000000
#define FSNOTIFY_MARK_FLAG_EXCL_UNLINK 0x0010
#define FSNOTIFY_MARK_FLAG_IN_ONESHOT 0x0020
#define FSNOTIFY_OBJ_TYPE_INODE 0

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct fanotify_group_private_data {
	int flags;
	int f_flags;
};

struct fsnotify_group {
	struct list_head marks_list;
	struct fanotify_group_private_data fanotify_data;
};

struct fsnotify_mark_connector {
	unsigned char type;
	void *obj;
};

struct fsnotify_mark {
	__u32 mask;
	struct list_head g_list;
	struct fsnotify_mark_connector *connector;
	__u32 ignore_mask;
	unsigned int flags;
};

struct inotify_inode_mark {
	struct fsnotify_mark fsn_mark;
	int wd;
};

/* Until 6.9 the connector points to the member of the inode, since then to the inode (230d97d39e0d). */
struct inode___v6_9 {
	void *i_fsnotify_marks;
};

struct super_block___v6_10 {
	void *s_fsnotify_info;
};

#pragma clang attribute pop

struct mark_walk {
	struct seq_file *seq;
	struct subject *s;
	struct list_head *at;
	struct list_head *end;
	bool inotify;
};

/*
 * The device and the number of a marked inode. Looked at once more: a connector
 * lets go of its inode, which may be freed then (fs/notify/mark.c).
 */
static __always_inline bool read_marked(struct fsnotify_mark_connector *connector, struct fdinfo_watch *watch)
{
	struct super_block___v6_10 *sb6_10 = NULL;
	void *obj = BPF_CORE_READ(connector, obj);
	struct inode *inode = obj;

	if (!obj)
		return false;
	if (!bpf_core_field_exists(sb6_10->s_fsnotify_info))
		inode = obj - bpf_core_field_offset(struct inode___v6_9, i_fsnotify_marks);
	watch->inode = BPF_CORE_READ(inode, i_ino);
	watch->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	loads_in_order();
	return BPF_CORE_READ(connector, obj) == obj;
}

/*
 * Is the mark still the group's? Its neighbours of the list lead to it, and it
 * has the connector that was read: fsnotify_detach_mark() takes it out of the
 * list before it may be freed, and leaves it pointing at itself.
 */
static __always_inline bool is_listed(struct fsnotify_mark *mark, struct list_head *link,
				      struct fsnotify_mark_connector *connector)
{
	struct list_head *next, *previous;

	loads_in_order();
	next = BPF_CORE_READ(link, next);
	previous = BPF_CORE_READ(link, prev);
	return next != link && BPF_CORE_READ(next, prev) == link && BPF_CORE_READ(previous, next) == link &&
	       BPF_CORE_READ(mark, connector) == connector;
}

static long add_watch(__u32 i, struct mark_walk *walk)
{
	struct list_head *link = walk->at;
	struct fsnotify_mark *mark;
	struct fsnotify_mark_connector *connector;
	struct fdinfo_watch seen = { .wd = -1 }, *watch;
	bool told = false;

	if (!link || link == walk->end)
		return 1;
	mark = (void *)link - bpf_core_field_offset(struct fsnotify_mark, g_list);
	/* Out of the list, or freed: where it leads is not known, and the list is told as not whole. */
	if (bpf_probe_read_kernel(&walk->at, sizeof(walk->at), link) || walk->at == link)
		goto lost;
	connector = BPF_CORE_READ(mark, connector);
	if (connector) {
		seen.kind = BPF_CORE_READ(connector, type);
		seen.flags = BPF_CORE_READ(mark, flags);
		seen.mask = BPF_CORE_READ(mark, mask);
		if (walk->inotify) {
			struct inotify_inode_mark *own =
				(void *)mark - bpf_core_field_offset(struct inotify_inode_mark, fsn_mark);

			seen.wd = BPF_CORE_READ(own, wd);
			/* inotify_mark_user_mask() */
			seen.mask &= IN_ALL_EVENTS;
			if (seen.flags & FSNOTIFY_MARK_FLAG_EXCL_UNLINK)
				seen.mask |= IN_EXCL_UNLINK;
			if (seen.flags & FSNOTIFY_MARK_FLAG_IN_ONESHOT)
				seen.mask |= IN_ONESHOT;
		} else if (bpf_core_field_exists(mark->ignore_mask)) {
			seen.ignored = BPF_CORE_READ(mark, ignore_mask);
		}
		/* As fdinfo.c there, which leaves out a mark whose inode it cannot hold. */
		told = seen.kind != FSNOTIFY_OBJ_TYPE_INODE || read_marked(connector, &seen);
	}
	if (!is_listed(mark, link, connector))
		goto lost;
	if (!told)
		return 0;
	watch = next_element(walk->seq, walk->s, sizeof(*watch), WATCHES);
	if (!watch)
		return 1;
	*watch = seen;
	return 0;
lost:
	walk->s->record.head.flags |= FDMAP_TRUNCATED;
	return 1;
}

static __noinline int read_watches(struct seq_file *seq, struct subject *s)
{
	struct fsnotify_group *group = (void *)s->private_data;
	struct mark_walk walk = { .seq = seq, .s = s };

	walk.inotify = s->record.type == FDINFO_INOTIFY;
	if (!walk.inotify) {
		ZERO_CLASS(s);
		SET_CLASS(s, fanotify, FDINFO_A_FANOTIFY_GROUP);
		s->class.fanotify.flags = BPF_CORE_READ(group, fanotify_data.flags) & ~FANOTIFY_UNPRIV;
		s->class.fanotify.event_flags = BPF_CORE_READ(group, fanotify_data.f_flags);
	}
	begin_list(s, walk.inotify ? FDINFO_A_INOTIFY : FDINFO_A_FANOTIFY);
	walk.end = (void *)group + bpf_core_field_offset(struct fsnotify_group, marks_list);
	bpf_probe_read_kernel(&walk.at, sizeof(walk.at), walk.end);
	/* one step more than there may be: the last one finds that it is too many */
	bpf_loop(WATCHES + 1, add_watch, &walk, 0);
	return 0;
}

#endif
