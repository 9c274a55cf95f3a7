/** The few plain system calls that node:fs does not have, or has only with a path. */

import type { Door } from './door.ts';
import { Memory } from './memory.ts';
import { SYSCALLS } from './uapi.gen.ts';

// fcntl(2) commands, the same on every architecture: include/uapi/linux/fcntl.h and asm-generic/fcntl.h
const F_GETFD = 1;
const F_DUPFD_CLOEXEC = 1030;
/** openat(2): relative to the current directory */
const AT_FDCWD = -100;
const RLIMIT_NOFILE = 7;

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

/** Soft and hard RLIMIT_NOFILE of this process; Infinity stands for RLIM_INFINITY. */
export function descriptorLimits(door: Door): { soft: number; hard: number } {
  const limits = new Memory(door, 16);
  door.syscall(numbers.prlimit64, 0, RLIMIT_NOFILE, 0, limits.address);
  limits.keep();
  const number = (value: bigint) =>
    value === 0xffff_ffff_ffff_ffffn ? Number.POSITIVE_INFINITY : Number(value);
  return { soft: number(limits.u64[0]!), hard: number(limits.u64[1]!) };
}
