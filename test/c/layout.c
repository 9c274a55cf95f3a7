/* The contexts of include/fdmap.h as C has them, to be compared with the generated layout. */
#include <fdmap.h>
#include <stddef.h>

#define SIZE(name, type) printf("SIZEOF_" name " %zu\n", sizeof(type))
#define AT(name, type, member) printf(name " %zu\n", offsetof(type, member))

int main(void)
{
	SIZE("FDMAP_HEAD", struct fdmap__head);
	AT("FDMAP_HEAD_ABI", struct fdmap__head, abi);
	AT("FDMAP_HEAD_FLAGS", struct fdmap__head, flags);
	AT("FDMAP_HEAD_PID", struct fdmap__head, pid);
	AT("FDMAP_HEAD_START", struct fdmap__head, start);
	AT("FDMAP_HEAD_ERROR", struct fdmap__head, error);
	AT("FDMAP_HEAD_BASE", struct fdmap__head, base);
	AT("FDMAP_HEAD_WORDS", struct fdmap__head, words);
	AT("FDMAP_HEAD_SIZE", struct fdmap__head, size);
	SIZE("FDMAP_SMALL", struct fdmap__small);
	AT("FDMAP_SMALL_OPEN", struct fdmap__small, open);
	SIZE("FDMAP_WIDE", struct fdmap__wide);
	AT("FDMAP_WIDE_OPEN", struct fdmap__wide, open);
	SIZE("PIDMAP_HEAD", struct pidmap__head);
	AT("PIDMAP_HEAD_ABI", struct pidmap__head, abi);
	AT("PIDMAP_HEAD_MODE", struct pidmap__head, mode);
	AT("PIDMAP_HEAD_PID", struct pidmap__head, pid);
	AT("PIDMAP_HEAD_START", struct pidmap__head, start);
	AT("PIDMAP_HEAD_END", struct pidmap__head, end);
	AT("PIDMAP_HEAD_ERROR", struct pidmap__head, error);
	AT("PIDMAP_HEAD_COUNT", struct pidmap__head, count);
	AT("PIDMAP_HEAD_STORED", struct pidmap__head, stored);
	AT("PIDMAP_HEAD_NESTED", struct pidmap__head, nested);
	SIZE("PIDMAP_WIDE", struct pidmap__wide);
	AT("PIDMAP_WIDE_PIDS", struct pidmap__wide, pids);
	SIZE("PIDMAP_RECORD", struct pidmap__record);
	AT("PIDMAP_RECORD_TID", struct pidmap__record, tid);
	AT("PIDMAP_RECORD_PID", struct pidmap__record, pid);
	AT("PIDMAP_RECORD_PPID", struct pidmap__record, ppid);
	AT("PIDMAP_RECORD_FLAGS", struct pidmap__record, flags);
	SIZE("FDMAP_RECORD", struct fdmap_record);
	SIZE("FDINFO_RECORD", struct fdinfo_record);
	AT("FDINFO_RECORD_COMMAND", struct fdinfo_record, command);
	SIZE("FDINFO_INET", struct fdinfo_inet);
	SIZE("PIDINFO_RECORD", struct pidinfo_record);
	SIZE("PIDINFO_STATUS", struct pidinfo_status);
	SIZE("PIDINFO_NAMESPACES", struct pidinfo_namespaces);
	printf("FDMAP_ABI %d\n", FDMAP_ABI);
	printf("PIDMAP_TASKS %d\nPIDMAP_PROC %d\n", PIDMAP_TASKS, PIDMAP_PROC);
	printf("PIDMAP_CHILDREN %d\nPIDMAP_THREADS %d\n", PIDMAP_CHILDREN, PIDMAP_THREADS);
	printf("PIDMAP_IGNORE_KTHREADS %d\n", PIDMAP_IGNORE_KTHREADS);
	printf("PIDMAP_RECORD_IS_KTHREAD %d\nPIDMAP_RECORD_IS_CLOSED %d\n", FDMAP__RECORD_KTHREAD, FDMAP__RECORD_CLOSED);
	return 0;
}
