// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* pidmap(2), 8,180 numbers a call. */
#define PIDMAP_ROOM PIDMAP_WIDE_ROOM
#include "pidmap.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

PIDMAP_PROGRAM(wide, PIDMAP_ROOM, COPY_WIDE)
