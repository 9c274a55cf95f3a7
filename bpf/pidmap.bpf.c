// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* pidmap(2), 1,012 numbers a call. */
#define PIDMAP_ROOM PIDMAP_SMALL_ROOM
#include "pidmap.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

PIDMAP_PROGRAM(small, PIDMAP_ROOM, COPY_SMALL)
