/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * compat.bpf.h - what differs from kernel to kernel, each with its commit or
 * version, so that program files read as if there were one kernel.
 */
#ifndef FDMAP_COMPAT_BPF_H
#define FDMAP_COMPAT_BPF_H

#include "kernel.h"
#include "fdmap.h"

/*
 * What the loader found out or was told, as constants that the verifier sees:
 * what they exclude it removes, calls of missing functions too. (The address of
 * a function is no test: the light skeletons of libbpf 1.1 resolve it to zero.)
 */
const volatile struct fdmap_config config = {};

/* The verifier's list of functions that it knows itself is an enum in the BTF. */
enum special_kfunc_type___6_2 { KF_bpf_rdonly_cast = 1 };

#define CAN_CAST bpf_core_enum_value_exists(enum special_kfunc_type___6_2, KF_bpf_rdonly_cast)

/* An address as a pointer that loads go through without a helper's call; before 6.2 as it is. */
#define CAST(pointer, type) \
	((type *)(CAN_CAST ? bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(type)) : (void *)(pointer)))

/* A member by a CAST() pointer: a helper's call takes as long as thirty loads. */
#define READ(pointer, member)                                                           \
	({                                                                              \
		typeof((pointer)->member) read_value = 0;                               \
		if (CAN_CAST) {                                                         \
			read_value = (pointer)->member;                                 \
			barrier_var(read_value);                                        \
		} else {                                                                \
			bpf_core_read(&read_value, sizeof(read_value), &(pointer)->member); \
		}                                                                       \
		read_value;                                                             \
	})

/*
 * What was read so far was read before what is read from here on. The compiler is
 * told in any case; processors that reorder loads need an instruction for it, and
 * an atomic operation that returns a value orders both ways (memory-barriers.txt).
 */
static __always_inline void loads_in_order(void)
{
	__u64 fence = 0;

	barrier();
	if (config.reorders_loads) {
		fence = __sync_fetch_and_add(&fence, 1);
		barrier_var(fence);
	}
}

/*
 * `value`, or 0 where it is more than `most`, a constant: a length or an index
 * that came out of memory, bounded so that every verifier sees it. A comparison
 * in C is often compiled for the lower half of the register, or for a copy of
 * it, and verifiers before 7.x then do not know the bound where it is used.
 */
#define AT_MOST(value, most)                                 \
	({                                                   \
		__u64 bounded = (value);                     \
		asm volatile("if %[v] <= %[m] goto +1\n\t"   \
			     "%[v] = 0"                      \
			     : [v] "+r"(bounded)             \
			     : [m] "i"(most));               \
		bounded;                                     \
	})

/*
 * The same task by a pointer of which the verifier holds nothing. To load a
 * pointer member through a trusted one it searches all names of the kernel's
 * BTF, up to four times for each such instruction on each path
 * (btf_nested_type_is_trusted() in kernel/bpf/btf.c): nine tenths of the time
 * that these programs took to load. What is read here is checked, not trusted.
 */
static __always_inline struct task_struct *plain(struct task_struct *task)
{
	return CAST(task, struct task_struct);
}

/*
 * The dumpable setting moved: mm->flags was an unsigned long until 6.17,
 * a bitmap type in 6.18 (mm_flags_t), and left the mm in 7.x for
 * task->exec_state (6b1c66c9cca9), where it survives the exit of the mm.
 * Stable kernels of 2026 keep one bit of it in the task for tasks without mm.
 */
typedef struct {
	unsigned long __mm_flags[1];
} mm_flags_t___v6_18;

struct mm_struct___v6_18 {
	mm_flags_t___v6_18 flags;
} __attribute__((preserve_access_index));

enum task_dumpable___v7 { TASK_DUMPABLE_UNUSED___v7 };

struct task_exec_state___v7 {
	enum task_dumpable___v7 dumpable;
	struct user_namespace *user_ns;
} __attribute__((preserve_access_index));

struct task_struct___v7 {
	struct task_exec_state___v7 *exec_state;
} __attribute__((preserve_access_index));

struct task_struct___user_dumpable {
	unsigned int user_dumpable : 1;
} __attribute__((preserve_access_index));

struct dumpable {
	bool known;	  /* a process image is there to ask */
	bool user;	  /* SUID_DUMP_USER */
	struct user_namespace *user_ns; /* owner of the image */
};

static __always_inline struct dumpable dumpable_of(struct task_struct *task)
{
	struct task_struct___v7 *task7 = (void *)task;
	struct dumpable d = {};
	struct mm_struct___v6_18 *mm6_18;
	struct mm_struct *mm;
	unsigned long word = 0;

	if (bpf_core_field_exists(task7->exec_state)) {
		struct task_exec_state___v7 *state = task7->exec_state;

		if (!state)
			return d;
		d.known = true;
		d.user = state->dumpable == SUID_DUMP_USER;
		d.user_ns = state->user_ns;
		return d;
	}
	mm = task->mm;
	if (!mm) {
		struct task_struct___user_dumpable *saved = (void *)task;

		if (bpf_core_field_exists(saved->user_dumpable))
			d.user = BPF_CORE_READ_BITFIELD(saved, user_dumpable);
		return d;
	}
	d.known = true;
	d.user_ns = mm->user_ns;
	mm6_18 = (void *)mm;
	if (bpf_core_field_exists(mm6_18->flags))
		word = mm6_18->flags.__mm_flags[0];
	else
		word = mm->flags;
	d.user = (word & MMF_DUMPABLE_MASK) == SUID_DUMP_USER;
	return d;
}

#endif
