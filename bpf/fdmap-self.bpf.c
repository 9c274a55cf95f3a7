// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* fdmap(2) of the caller, 1,024 descriptors a call. */
#include "fdmap-self.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

FDMAP_SMALL_PROGRAM(fdmap_self, fdmap_self)
