"""A process whose arguments are in a mapping of a file: dead-args.py FILE

Says `mapped`, then reads the first of them, which for a file on dead-fuse.py never ends.
Needs a kernel with CONFIG_CHECKPOINT_RESTORE.
"""

import ctypes
import mmap
import os
import struct
import sys
import threading

PR_SET_MM, PR_SET_MM_MAP = 35, 14

libc = ctypes.CDLL(None, use_errno=True)
libc.sbrk.restype = ctypes.c_void_p
file = os.open(sys.argv[1], os.O_RDONLY)
memory = mmap.mmap(file, 1 << 16, access=mmap.ACCESS_COPY)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
with open("/proc/self/stat") as text:
    field = [0, 0, 0] + text.read().rpartition(")")[2].split()
number = lambda index: int(field[index])
# struct prctl_mm_map: all as it is, but for the arguments
layout = struct.pack(
    "<12QIi",
    *(number(index) for index in (26, 27, 45, 46, 47)),
    libc.sbrk(0),
    number(28),
    address,
    address + 100,
    number(50),
    number(51),
    0,
    0,
    -1,
)
if libc.prctl(PR_SET_MM, PR_SET_MM_MAP, layout, ctypes.c_ulong(len(layout)), ctypes.c_ulong(0)) != 0:
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
print("mapped", flush=True)
threading.Thread(target=lambda: memory[0], daemon=True).start()
threading.Event().wait()
