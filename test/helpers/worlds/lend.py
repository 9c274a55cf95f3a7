"""Opens a stream as one process and reads it as another: lend.py PATH OPENER READER

OPENER and READER are words joined by commas: uid=N, groups=N, landlock. What is
read goes to standard output.
"""

import ctypes
import os
import socket
import sys

# The numbers are the same on every architecture (include/uapi/asm-generic/unistd.h).
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
PR_SET_NO_NEW_PRIVS = 38


def enter_landlock():
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.c_uint64(1)  # LANDLOCK_ACCESS_FS_EXECUTE
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    if (
        ruleset < 0
        or libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        or libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0)
    ):
        raise OSError(ctypes.get_errno(), "landlock")
    os.close(ruleset)


def become(options):
    words = dict(word.partition("=")[::2] for word in options.split(","))
    uid = int(words["uid"])
    os.setgroups([int(words["groups"])] if "groups" in words else [])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if "landlock" in words:
        enter_landlock()


path, opener, reader = sys.argv[1:]
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
child = os.fork()
if child == 0:
    become(opener)
    socket.send_fds(theirs, [b"."], [os.open(path, os.O_RDONLY)])
    os._exit(0)
theirs.close()
_, (stream,), _, _ = socket.recv_fds(ours, 1, 1)
if os.waitpid(child, 0)[1]:
    raise SystemExit("the opener failed")
become(reader)
while True:
    try:
        piece = os.read(stream, 32768)
    except BlockingIOError:  # a stream that has shown a million others says so, and goes on
        continue
    if not piece:
        break
    sys.stdout.buffer.write(piece)
