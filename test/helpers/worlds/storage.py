"""Reads and writes storage in one thread of two: storage.py FILE BYTES, a line when it has."""

import os
import sys
import threading
import time


def work():
    size = int(sys.argv[2])
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
    os.write(fd, b"x" * size)
    os.fsync(fd)
    # Out of the page cache, so that it is read again.
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.pread(fd, size, 0)
    os.close(fd)
    end = time.thread_time() + 0.1
    while time.thread_time() < end:
        os.stat("/")
    print(threading.get_native_id(), flush=True)
    time.sleep(1e6)


threading.Thread(target=work, daemon=True).start()
time.sleep(1e6)
