#!/usr/bin/env python3
"""fdmap(2) and pidmap(2) from Python, by ctypes: no module to build.

    ./fds.py            descriptors of every process that may be read
    ./fds.py 1 4711     of these

Needs `fdmap install` once, by an administrator; then no privilege.
"""

import ctypes
import os
import platform
import re
import struct
import sys

ABI = 1
BPF_OBJ_GET, BPF_PROG_RUN, BPF_F_RDONLY = 7, 10, 1 << 3
BPF_FS_MAGIC = 0xCAFE4A11
PIDMAP_TASKS, PIDMAP_PROC, PIDMAP_CHILDREN, PIDMAP_THREADS = 1, 2, 3, 4
PIDMAP_IGNORE_KTHREADS = 1 << 30
PID_END = 4 * 1024 * 1024 + 1
WIDE = 32768  # bytes of the larger context of each call
HEAD = 48  # of those the head

libc = ctypes.CDLL(None, use_errno=True)
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]


def bpf(command, attr):
    result = libc.syscall(SYS_BPF, command, attr, ctypes.c_long(len(attr)))
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


def foreign_root():
    """How root of the machine looks in a user namespace that has no number for him."""
    with open("/proc/self/uid_map") as uid_map:
        return 0 if uid_map.read().split() == ["0", "0", "4294967295"] else 65534


def check_directory(directory):
    """Programs are run only from where nobody but root can have put them."""
    fields = (ctypes.c_long * 16)()  # struct statfs begins with its type
    status = os.stat(directory)
    if libc.statfs(os.fsencode(directory), fields) or fields[0] & 0xFFFFFFFF != BPF_FS_MAGIC:
        raise FileNotFoundError(f"the calls are not installed in {directory}")
    if status.st_uid not in (0, foreign_root()) or status.st_mode & 0o022:
        raise PermissionError(f"{directory} is not root's alone")


def open_program(name):
    directory = os.environ.get("FDMAP_BPFFS") or "/run/fdmap"
    check_directory(directory)
    version = os.readlink(f"{directory}/current")
    match = re.fullmatch(r"abi(\d+)-\w+", version)
    if not match or int(match[1]) != ABI:
        raise OSError(f"{directory} has {version}, this program is for ABI {ABI}")
    path = ctypes.create_string_buffer(os.fsencode(f"{directory}/{version}/{name}"))
    return bpf(BPF_OBJ_GET, struct.pack("=QII", ctypes.addressof(path), 0, BPF_F_RDONLY))


class Program:
    """A pinned program and its context, which is question and answer in one."""

    def __init__(self, name):
        self.fd = open_program(name)
        self.context = ctypes.create_string_buffer(WIDE)
        self.attr = struct.pack(
            "=4I2Q4I2Q4I", self.fd, 0, 0, 0, 0, 0, 0, 0, WIDE, 0, ctypes.addressof(self.context), 0, 0, 0, 0, 0
        )

    def run(self, head, error_at):
        while True:
            ctypes.memmove(self.context, head.ljust(HEAD, b"\0"), HEAD)
            bpf(BPF_PROG_RUN, self.attr)
            (error,) = struct.unpack_from("=i", self.context, error_at)
            if error in (-11, -16):  # EAGAIN, EBUSY: both pass by themselves
                continue
            if error:
                raise OSError(-error, os.strerror(-error))
            return self.context


programs = {}


def program(name):
    if name not in programs:
        programs[name] = Program(name)
    return programs[name]


def fdmap(pid=0, start=0):
    """Descriptors of a process or thread from `start` on, ascending."""
    found = []
    while True:
        head = struct.pack("=IIii", ABI, 0, pid, start)
        answer = program("fdmap_wide").run(head, 16)
        base, words, size = struct.unpack_from("=III", answer, 20)
        for i, word in enumerate(struct.unpack_from(f"={words}Q", answer, HEAD)):
            while word:
                lowest = word & -word
                fd = base + i * 64 + lowest.bit_length() - 1
                if fd >= start:
                    found.append(fd)
                word ^= lowest
        start = base + words * 64
        if not words or start >= size:
            return found


def pidmap(flags=PIDMAP_PROC, pid=0, start=1):
    """Numbers of processes or threads from `start` on, ascending."""
    found = set()
    width = PID_END - start
    while start < PID_END:
        head = struct.pack("=IIiii", ABI, flags, pid, start, min(start + width, PID_END))
        answer = program("pidmap_wide").run(head, 20)
        count, stored = struct.unpack_from("=II", answer, 24)
        if count > stored:  # more than fit: a narrower window of the numbers
            width = max(width // 2, 1)
            continue
        found.update(struct.unpack_from(f"={stored}i", answer, HEAD))
        start += width
    return sorted(found)


def main():
    named = [int(argument) for argument in sys.argv[1:]]
    failed = False
    for pid in named or pidmap(PIDMAP_PROC | PIDMAP_IGNORE_KTHREADS):
        try:
            print(f"{pid}:", *fdmap(pid))
        except OSError as error:
            print(f"{pid}: {error.strerror}")
            failed = True
    return 1 if failed and named else 0


if __name__ == "__main__":
    sys.exit(main())
