/*
 * Open files with their names, and the directories and programs of processes:
 *
 *	cc -O2 -I../../include lsof.c -o lsof
 *	./lsof             of every process that may be read
 *	./lsof 1 4711      of these
 */
#include <arpa/inet.h>
#include <fdmap.h>

/* In the order of enum fdinfo_type. */
static const char *const types[] = {
	"unknown",  "file",	"dir",	    "symlink",	"block",    "char",	   "pipe",	  "fifo", "tcp",
	"udp",	    "udplite",	"raw",	    "ping",	"unix",	    "netlink",	   "packet",	  "vsock", "socket",
	"eventfd",  "epoll",	"timerfd",  "signalfd", "inotify",  "fanotify",	   "pidfd",	  "memfd", "bpf-map",
	"bpf-prog", "bpf-link", "io_uring", "userfaultfd", "perf",  "landlock",    "namespace",	  "mqueue", "anon",
};

static const char *name_of_type(uint32_t type)
{
	return type < sizeof(types) / sizeof(*types) ? types[type] : "?";
}

/* Names of others do not reach the terminal as they are. */
static void print_bytes(const void *bytes, size_t length)
{
	for (const unsigned char *p = bytes, *end = p + length; p < end; p++)
		printf(*p < ' ' || *p == 0x7f || *p == '\\' ? "\\%03o" : "%c", *p);
}

static void print_address(const struct fdinfo_inet *inet, const uint8_t *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(inet->family == 6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	printf(inet->family == 6 ? "[%s]:%u" : "%s:%u", text, port);
}

static void print_name(const struct fdmap_record *record, const struct fdinfo_record *r)
{
	const struct fdinfo_inet *inet = fdmap_attribute(record, FDINFO_A_INET, sizeof(*inet), NULL);
	const struct fdmap_attribute *name;
	size_t length;

	if (inet) {
		print_address(inet, inet->local, inet->local_port);
		if (inet->remote_port) {
			fputs("->", stdout);
			print_address(inet, inet->remote, inet->remote_port);
		}
		return;
	}
	name = fdmap_attribute(record, FDINFO_A_PATH, 0, &length);
	if (!name)
		name = fdmap_attribute(record, FDINFO_A_NAME, 0, &length);
	if (name)
		print_bytes(name + 1, length);
	else
		printf("inode %llu", (unsigned long long)r->inode);
}

static void print_row(const struct fdmap_record *record, const struct fdinfo_record *r)
{
	static const char *const places[] = { "cwd", "root", "exe", "mem" };
	char fd[16];

	if (r->fd < 0)
		snprintf(fd, sizeof(fd), "%s", places[(-r->fd - 1) & 3]);
	else
		snprintf(fd, sizeof(fd), "%d%c%c", r->fd, r->bits & FDINFO_READ ? 'r' : '-', r->bits & FDINFO_WRITE ? 'w' : '-');
	print_bytes(r->command, strnlen(r->command, sizeof(r->command)));
	printf("\t%d\t%s\t%s\t", r->pid, fd, name_of_type(r->type));
	print_name(record, r);
	putchar('\n');
}

static int wanted(int pid, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (atoi(argv[i]) == pid)
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	static const char *const streams[] = { "fdinfo_places", "fdinfo_files" };
	static struct fdmap_stream stream;

	for (int i = 0; i < 2; i++) {
		const struct fdmap_record *record;

		if (fdmap_stream_open(&stream, streams[i]))
			return perror(streams[i]), 1;
		while ((record = fdmap_stream_next(&stream))) {
			const struct fdinfo_record *r = fdmap_descriptor(record);

			if (r && wanted(r->pid, argc, argv))
				print_row(record, r);
		}
		if (errno)
			return perror(streams[i]), 1;
		fdmap_stream_close(&stream);
	}
	return 0;
}
