"""A FUSE file system whose server stops answering: dead-fuse.py DIRECTORY

DIRECTORY has one file, `file`. Reads of it are never answered; everything else is until a
line comes in on standard input, and nothing after that. Its end of file ends it, which
fails whatever still waits. Says `ready`, and `dead`, one a line. Needs root and /dev/fuse.
"""

import ctypes
import os
import stat
import struct
import sys
import threading

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE = 1, 2, 3, 14, 15, 18
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = 25, 26, 27, 28, 29
INTERRUPT, BATCH_FORGET = 36, 42
ENOENT, ENOSYS = 2, 38
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2
ROOT, FILE = 1, 2
SIZE = 1 << 20

libc = ctypes.CDLL(None, use_errno=True)
directory = sys.argv[1].encode()
device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
dead = threading.Event()


def attributes(node):
    mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o755
    size = 0 if node == ROOT else SIZE
    # struct fuse_attr of include/uapi/linux/fuse.h
    return struct.pack("<6Q10I", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node, body):
    """An error number, the bytes of an answer, or None: there is none to give."""
    if opcode == INIT:
        # as of 7.31, without any of the features that are offered
        return struct.pack("<4I2H2I2HI28x", 7, 31, 4096, 0, 4, 3, 4096, 1, 1, 0, 0)
    if opcode == LOOKUP:
        if body.rstrip(b"\0") != b"file":
            return ENOENT
        return struct.pack("<4Q2I", FILE, 0, 0, 0, 0, 0) + attributes(FILE)
    if opcode == GETATTR:
        return struct.pack("<Q2I", 0, 0, 0) + attributes(node)
    if opcode in (OPEN, OPENDIR):
        return struct.pack("<Q2I", 0, 0, 0)
    if opcode in (RELEASE, RELEASEDIR, FLUSH, READDIR):
        return b""
    if opcode in (READ, FORGET, BATCH_FORGET, INTERRUPT):
        return None
    return ENOSYS


def serve():
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:
            return
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        if dead.is_set():
            continue
        found = answer(opcode, node, request[40:])
        if found is None:
            continue
        error, payload = (-found, b"") if isinstance(found, int) else (0, found)
        os.write(device, struct.pack("<IiQ", 16 + len(payload), error, unique) + payload)


options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"dead", directory, b"fuse", MS_NOSUID | MS_NODEV, options) != 0:
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
try:
    threading.Thread(target=serve, daemon=True).start()
    print("ready", flush=True)
    if sys.stdin.readline():
        dead.set()
        print("dead", flush=True)
        sys.stdin.read()
finally:
    libc.umount2(directory, MNT_DETACH)
    # the kernel gives up on all that waits: there is nobody any more who could answer
    os._exit(0)
