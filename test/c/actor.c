/*
 * actor.c - a process with the credentials that a test asks for.
 *
 *	actor target OPTION...			prints its number and waits
 *	actor caller OPTION... -- PID...	asks for each process, one line:
 *		PID CWD SEARCH FD FDMAP WIDE STREAM OPEN IO DESCRIPTORS
 *	the errno (0: allowed) of readlink(/proc/PID/cwd), of searching the
 *	directory /proc/PID/fd, of readlink(/proc/PID/fd/0), of fdmap(PID) by its small
 *	program, its wide one and its stream; how many descriptors it told of; whether
 *	pidinfo told of IO (-1: no such program on this kernel), and how many
 *	descriptors of that thread the stream of fdinfo has.
 *	actor pidmap OPTION... -- FLAGS PID	prints pidmap(PID, FLAGS), or its errno
 *	actor exec OPTION... -- COMMAND...	runs a command so
 *	actor wait				prints its number and waits, as it is
 *
 * Options, in this order of effect: uid=R,E,S gid=R,E,S groups=G caps=HEX
 * fsuid=N userns dumpable=0|1 landlock apparmor=PROFILE nobpf thread zombie
 */
#define _GNU_SOURCE
#include <fdmap.h>
#include "pidinfo-head.h"
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

struct options {
	int uid[3], gid[3], fsuid, dumpable;
	long groups;
	unsigned long long caps;
	int has_uid, has_gid, has_caps, userns, landlock, nobpf, thread, zombie;
	const char *profile;
};

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "actor: %s: %s\n", what, strerror(errno));
	exit(100);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static void set_caps(unsigned long long caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	/* those that there are: a container has not all */
	need(!syscall(SYS_capget, &head, data), "capget");
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (__u32)(caps >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	need(!syscall(SYS_capset, &head, data), "capset");
}

static void enter_landlock(void)
{
	unsigned long long handled = 1;
	int ruleset = syscall(444, &handled, sizeof(handled), 0);

	need(ruleset >= 0, "landlock_create_ruleset");
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	need(!syscall(446, ruleset, 0), "landlock_restrict_self");
	close(ruleset);
}

/* aa_change_profile(3), of this thread */
static void enter_profile(const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "changeprofile %s", name);
	write_file("/proc/thread-self/attr/apparmor/current", text);
}

/* As the default profiles of container engines have it: bpf(2) is EPERM. */
static void forbid_bpf(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(*code), .filter = code };

	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "seccomp");
}

/* By system calls, not by libc, which would change every thread. */
static void become(const struct options *o)
{
	if (o->has_gid || o->has_uid) {
		gid_t group = (gid_t)o->groups;

		need(!syscall(SYS_setgroups, o->groups >= 0, &group), "setgroups");
	}
	if (o->has_gid)
		need(!syscall(SYS_setresgid, o->gid[0], o->gid[1], o->gid[2]), "setresgid");
	if (o->has_caps)
		need(!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps");
	if (o->has_uid)
		need(!syscall(SYS_setresuid, o->uid[0], o->uid[1], o->uid[2]), "setresuid");
	if (o->has_caps)
		set_caps(o->caps);
	if (o->fsuid >= 0)
		syscall(SYS_setfsuid, o->fsuid);
	if (o->userns) {
		char map[64];
		int uid = geteuid();

		/* the files below /proc/self belong to root otherwise */
		need(!prctl(PR_SET_DUMPABLE, 1), "dumpable");
		need(!unshare(CLONE_NEWUSER), "unshare");
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %d 1", uid);
		write_file("/proc/self/uid_map", map);
	}
	need(!prctl(PR_SET_DUMPABLE, o->dumpable), "dumpable");
	if (o->landlock)
		enter_landlock();
	if (o->profile)
		enter_profile(o->profile);
	if (o->nobpf)
		forbid_bpf();
}

static void *other_thread(void *argument)
{
	const struct options *o = argument;

	if (o->thread)
		become(o);
	printf("%d\n", o->thread ? (int)syscall(SYS_gettid) : getpid());
	fflush(stdout);
	pause();
	return NULL;
}

static void target(const struct options *o)
{
	pthread_t thread;

	if (!o->thread)
		become(o);
	if (o->thread || o->zombie) {
		need(!pthread_create(&thread, NULL, other_thread, (void *)o), "pthread_create");
		if (o->zombie)
			syscall(SYS_exit, 0); /* this thread alone: the leader */
	} else {
		printf("%d\n", getpid());
		fflush(stdout);
	}
	for (;;)
		pause();
}

static int errno_of_link(const char *format, int pid)
{
	char path[64], link[PATH_MAX];

	snprintf(path, sizeof(path), format, pid);
	return readlink(path, link, sizeof(link)) < 0 ? errno : 0;
}

/* Without bpf(2), or on a kernel without the program, there is nothing to compare: the same verdict again. */
static int errno_of_wide(int pid, int verdict)
{
	int fds[64];

	if (fdmap__by_wide(pid, fds, 64, 0, 0) >= 0)
		return 0;
	return errno == ENOSYS ? verdict : errno;
}

/* struct pidinfo_small of bpf/fdmap.h, asked for one process */
static int has_io(int pid)
{
	static struct {
		struct pidinfo__head head;
		union {
			int32_t pids[8];
			struct fdmap_record record;
			char room[4048];
		} u;
	} context;
	int program = fdmap__get("pidinfo_small", 0);

	if (program < 0) {
		need(errno == ENOSYS, "pidinfo_small");
		return -1;
	}
	memset(&context, 0, sizeof(context));
	context.head.abi = FDMAP_ABI;
	context.head.mask = 1ULL << PIDINFO_IO;
	context.head.count = 1;
	context.u.pids[0] = pid;
	need(!fdmap__run(program, &context, sizeof(context), &context.head.error), "pidinfo");
	close(program);
	return fdmap_process(&context.u.record) && fdmap_attribute(&context.u.record, PIDINFO_IO, 0, NULL);
}

static void count_descriptors(int count, char **pids, int *found)
{
	static struct fdmap_stream stream;
	const struct fdmap_record *record;

	need(!fdmap_stream_open(&stream, "fdinfo_files"), "fdinfo_files");
	while ((record = fdmap_stream_next(&stream))) {
		const struct fdinfo_record *descriptor = fdmap_descriptor(record);

		for (int i = 0; descriptor && i < count; i++)
			found[i] += descriptor->tid == atoi(pids[i]);
	}
	need(!errno, "fdinfo_files");
	fdmap_stream_close(&stream);
}

static void caller(int count, char **pids)
{
	static int found[1024];

	need(count <= 1024, "more processes than there is room for");
	count_descriptors(count, pids, found);
	for (int i = 0; i < count; i++) {
		int pid = atoi(pids[i]), fds[64];
		int cwd = errno_of_link("/proc/%d/cwd", pid), fd = errno_of_link("/proc/%d/fd/0", pid);
		int open = (int)fdmap(pid, fds, 64, 0, 0), verdict = open < 0 ? errno : 0, search;
		int wide = errno_of_wide(pid, verdict), stream = fdmap__by_stream(pid, fds, 64, 0) < 0 ? errno : 0;
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/fd", pid);
		search = faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? errno : 0;
		printf("%d %d %d %d %d %d %d %d %d %d\n", pid, cwd, search, fd, verdict, wide, stream, open, has_io(pid),
		       found[i]);
	}
}

static void print_pidmap(int flags, int pid)
{
	static int pids[65536];
	long n = pidmap(pid, pids, 65536, 0, flags);

	if (n < 0)
		printf("errno %d\n", errno);
	for (long i = 0; i < n; i++)
		printf("%d\n", pids[i]);
}

int main(int argc, char **argv)
{
	struct options o = { .fsuid = -1, .dumpable = 1, .groups = -1 };
	int i;

	need(argc > 1, "usage");
	if (!strcmp(argv[1], "wait")) {
		/* as it was executed, for its mode's sake */
		printf("%d\n", getpid());
		fflush(stdout);
		pause();
		return 0;
	}
	for (i = 2; i < argc && strcmp(argv[i], "--"); i++) {
		const char *a = argv[i];

		if (sscanf(a, "uid=%d,%d,%d", &o.uid[0], &o.uid[1], &o.uid[2]) == 3)
			o.has_uid = 1;
		else if (sscanf(a, "gid=%d,%d,%d", &o.gid[0], &o.gid[1], &o.gid[2]) == 3)
			o.has_gid = 1;
		else if (sscanf(a, "caps=%llx", &o.caps) == 1)
			o.has_caps = 1;
		else if (sscanf(a, "fsuid=%d", &o.fsuid) == 1 || sscanf(a, "dumpable=%d", &o.dumpable) == 1 ||
			 sscanf(a, "groups=%ld", &o.groups) == 1)
			continue;
		else if (!strcmp(a, "userns"))
			o.userns = 1;
		else if (!strcmp(a, "landlock"))
			o.landlock = 1;
		else if (!strncmp(a, "apparmor=", 9))
			o.profile = a + 9;
		else if (!strcmp(a, "nobpf"))
			o.nobpf = 1;
		else if (!strcmp(a, "thread"))
			o.thread = 1;
		else if (!strcmp(a, "zombie"))
			o.zombie = 1;
		else
			need(0, a);
	}
	if (!strcmp(argv[1], "target"))
		target(&o);
	become(&o);
	if (!strcmp(argv[1], "caller"))
		caller(argc - i - 1, argv + i + 1);
	else if (!strcmp(argv[1], "pidmap"))
		print_pidmap(atoi(argv[i + 1]), atoi(argv[i + 2]));
	else if (!strcmp(argv[1], "exec"))
		need(execvp(argv[i + 1], argv + i + 1) == 0, argv[i + 1]);
	return 0;
}
