// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* pidinfo, 32 KiB of records a call. */
#include "pidinfo.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

PIDINFO_PROGRAM(wide, PIDINFO_WIDE_PIDS, COPY_PIDS_WIDE, COPY_WIDE)
