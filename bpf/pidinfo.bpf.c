// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* pidinfo, 4 KiB of records a call. */
#include "pidinfo.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

PIDINFO_PROGRAM(small, PIDINFO_SMALL_PIDS, COPY_PIDS_SMALL, COPY_SMALL)
