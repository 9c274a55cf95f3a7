// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* fdmap(2) of the caller, 261,760 descriptors a call. */
#include "fdmap-self.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

FDMAP_WIDE_PROGRAM(fdmap_self, fdmap_self)
