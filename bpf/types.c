/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * types.c - never run: its BTF tells scripts/build-bpf.mjs where the members of
 * our contexts and records are (src/abi/layout.gen.ts), and those of the
 * kernel's own interface (src/sys/uapi.gen.ts). No offset is typed by hand.
 */
#include <linux/bpf.h>
#include <linux/stat.h>
#include "fdmap.h"

/*
 * What a light skeleton's loader program is given and gives back: libbpf's
 * skel_internal.h, which cannot be included here (it calls libc).
 */
struct bpf_loader_ctx {
	__u32 sz;
	__u32 flags;
	__u32 log_level;
	__u32 log_size;
	__u64 log_buf;
};

struct bpf_map_desc {
	int map_fd;
	__u32 max_entries;
	__aligned_u64 initial_value;
};

struct bpf_prog_desc {
	int prog_fd;
};

/* getdents64(2) */
struct linux_dirent64 {
	__u64 d_ino;
	__s64 d_off;
	__u16 d_reclen;
	__u8 d_type;
	char d_name[];
};

/* One use of each, or they are not in the BTF. */
struct fdmap_config fdmap_config;
struct fdmap_manifest fdmap_manifest;
struct fdmap_lsm fdmap_lsm;
struct fdmap_small fdmap_small;
struct fdmap_wide fdmap_wide;
struct pidmap_small pidmap_small;
struct pidmap_wide pidmap_wide;
struct pidmap_record pidmap_record;
enum pidmap_mode pidmap_mode;
struct fdmap_record fdmap_record;
enum fdmap_kind fdmap_kind;
struct fdmap_attribute fdmap_attribute;
enum pidinfo_group pidinfo_group;
struct pidinfo_record pidinfo_record;
struct pidinfo_status pidinfo_status;
struct pidinfo_creds pidinfo_creds;
struct pidinfo_files pidinfo_files;
struct pidinfo_limit pidinfo_limit;
struct pidinfo_times pidinfo_times;
struct pidinfo_faults pidinfo_faults;
struct pidinfo_io pidinfo_io;
struct pidinfo_memory pidinfo_memory;
struct pidinfo_sched pidinfo_sched;
struct pidinfo_cgroup pidinfo_cgroup;
struct pidinfo_namespaces pidinfo_namespaces;
struct pidinfo_kinds pidinfo_kinds;
struct pidinfo_small pidinfo_small;
struct pidinfo_wide pidinfo_wide;
struct pidinfo_count pidinfo_count;
struct pidinfo_counts pidinfo_counts;
enum fdinfo_type fdinfo_type;
enum fdinfo_attribute fdinfo_attribute;
struct fdinfo_more fdinfo_more;
struct fdinfo_record fdinfo_record;
struct fdinfo_pipe fdinfo_pipe;
struct fdinfo_inet fdinfo_inet;
struct fdinfo_socket fdinfo_socket;
struct fdinfo_eventfd fdinfo_eventfd;
struct fdinfo_list fdinfo_list;
struct fdinfo_target fdinfo_target;
struct fdinfo_watch fdinfo_watch;
struct fdinfo_lock fdinfo_lock;
struct fdinfo_timerfd fdinfo_timerfd;
struct fdinfo_signalfd fdinfo_signalfd;
struct fdinfo_pidfd fdinfo_pidfd;
struct fdinfo_memfd fdinfo_memfd;
struct fdinfo_bpf fdinfo_bpf;
struct fdinfo_io_uring fdinfo_io_uring;
struct fdinfo_userfaultfd fdinfo_userfaultfd;
struct fdinfo_perf fdinfo_perf;
struct fdinfo_mqueue fdinfo_mqueue;
struct fdinfo_tty fdinfo_tty;
struct fdinfo_mapping fdinfo_mapping;
struct fdinfo_fanotify_group fdinfo_fanotify_group;
struct fdinfo_request fdinfo_request;
struct fdinfo_match fdinfo_match;
struct fdmap_image fdmap_image;
enum fdmap_section_type fdmap_section_type;
struct fdmap_section fdmap_section;
struct fdmap_about fdmap_about;
enum fdmap_about_attribute fdmap_about_attribute;
struct fdmap_user fdmap_user;
struct fdmap_summary fdmap_summary;

union bpf_attr attr;
union bpf_iter_link_info iter_link_info;
struct bpf_prog_info prog_info;
struct bpf_map_info map_info;
struct bpf_loader_ctx loader_ctx;
struct bpf_map_desc map_desc;
struct bpf_prog_desc prog_desc;
struct linux_dirent64 dirent64;
struct statx statx_answer;
enum bpf_cmd cmd;
enum bpf_map_type map_type;
enum bpf_prog_type prog_type;
enum bpf_link_type link_type;
enum bpf_attach_type attach_type;
