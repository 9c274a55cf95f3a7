#!/usr/bin/env python3
"""Open files with their names, of every process that may be read or of those named.

    python3 lsof.py [PID...]

The pinned streams are files: open(2) and read(2) are all that it takes. Layout of the
records: docs/abi.md and include/fdmap.h.
"""

import os
import socket
import struct
import sys

ABI = 1
PIECE = 32 * 1024  # every read(2) ends at a record
HEAD = struct.Struct("=IHHHHiQ")  # size, kind, fixed, version, flags, error, mask
DESCRIPTOR = struct.Struct("=24x3iI3QqQ6IiIII16s")  # struct fdinfo_record
INET = struct.Struct("=4x6H4I16s16s")  # struct fdinfo_inet
KIND_DESCRIPTOR = 2
PATH, NAME, ADDRESSES = 1, 2, 5
READ, WRITE = 1, 2
PLACES = {-1: "cwd", -2: "root", -3: "exe", -4: "mem"}
TYPES = (
    "unknown file dir symlink block char pipe fifo tcp udp udplite raw ping unix netlink packet vsock socket "
    "eventfd epoll timerfd signalfd inotify fanotify pidfd memfd bpf-map bpf-prog bpf-link io_uring userfaultfd "
    "perf landlock namespace mqueue anon"
).split()


def records(stream):
    """The records of a pinned stream."""
    directory = os.environ.get("FDMAP_BPFFS") or "/run/fdmap"
    version = os.readlink(f"{directory}/current")
    if not version.startswith(f"abi{ABI}-"):
        raise OSError(f"the calls in {directory} are of another ABI: {version}")
    with open(f"{directory}/{version}/{stream}_stream", "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            at = 0
            while at < len(piece):
                (size,) = struct.unpack_from("=I", piece, at)
                yield piece[at : at + size]
                at += size


def attributes(record, fixed):
    found, at = {}, fixed
    while at + 4 <= len(record):
        length, kind = struct.unpack_from("=HH", record, at)
        if length < 4:
            break
        found[kind] = record[at : at + length]
        at += (length + 3) & ~3
    return found


def address(family, raw, port):
    if family == 6:
        return f"[{socket.inet_ntop(socket.AF_INET6, raw)}]:{port}"
    return f"{socket.inet_ntop(socket.AF_INET, raw[:4])}:{port}"


def name_of(facts, inode):
    if ADDRESSES in facts:
        family, _, _, local_port, remote_port, _, _, _, _, _, local, remote = INET.unpack_from(facts[ADDRESSES])
        name = address(family, local, local_port)
        return f"{name}->{address(family, remote, remote_port)}" if remote_port else name
    raw = facts.get(PATH, facts.get(NAME))
    name = f"inode {inode}" if raw is None else raw[4:].decode(errors="backslashreplace")
    # names of others do not reach the terminal as they are
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in name)


def main():
    wanted = {int(argument) for argument in sys.argv[1:]}
    for stream in ("fdinfo_places", "fdinfo_files"):
        for record in records(stream):
            _, kind, fixed, _, _, error, _ = HEAD.unpack_from(record)
            if kind != KIND_DESCRIPTOR or error:
                continue
            pid, _, fd, type_, _, _, inode, *_, bits, _, _, command = DESCRIPTOR.unpack_from(record)
            if wanted and pid not in wanted:
                continue
            access = ("r" if bits & READ else "-") + ("w" if bits & WRITE else "-")
            print(
                command.rstrip(b"\0").decode(errors="backslashreplace"),
                pid,
                PLACES.get(fd) or f"{fd}{access}",
                TYPES[type_] if type_ < len(TYPES) else "?",
                name_of(attributes(record, fixed), inode),
                sep="\t",
            )


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"lsof.py: {error}")
