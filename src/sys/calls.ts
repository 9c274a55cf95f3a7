/** The few plain system calls that node:fs does not have, or has only with a path. */

import type { Door } from './door.ts';
import type { Memory } from './memory.ts';
import { SYSCALLS } from './uapi.gen.ts';

// fcntl(2) commands, the same on every architecture: include/uapi/linux/fcntl.h and asm-generic/fcntl.h
const F_GETFD = 1;
const F_DUPFD_CLOEXEC = 1030;
/** openat(2): relative to the current directory */
const AT_FDCWD = -100;

const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];

export const close = (door: Door, fd: number): number => door.syscall(numbers.close, fd);

export const openat = (door: Door, path: Memory, flags: number): number =>
  door.syscall(numbers.openat, AT_FDCWD, path.address, flags);

export const read = (door: Door, fd: number, into: Memory, length = into.buffer.byteLength): number =>
  door.syscall(numbers.read, fd, into.address, length);

export const getdents64 = (door: Door, fd: number, into: Memory): number =>
  door.syscall(numbers.getdents64, fd, into.address, into.buffer.byteLength);

/** 0 or 1 (FD_CLOEXEC) for an open descriptor, -EBADF for a free number. Never touches the file. */
export const getDescriptorFlags = (door: Door, fd: number): number =>
  door.syscall(numbers.fcntl, fd, F_GETFD);

/** The lowest free descriptor from `least` on, close-on-exec. */
export const duplicate = (door: Door, fd: number, least: number): number =>
  door.syscall(numbers.fcntl, fd, F_DUPFD_CLOEXEC, least);
