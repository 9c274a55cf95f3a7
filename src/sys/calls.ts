/** The few plain system calls that node:fs does not have, or has only with a path. */

import type { Door } from './door.ts';
import { Memory } from './memory.ts';
import { SYSCALLS } from './uapi.gen.ts';

// fcntl(2) commands, the same on every architecture: include/uapi/linux/fcntl.h and asm-generic/fcntl.h
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_DUPFD_CLOEXEC = 1030;
/** openat(2): relative to the current directory */
const AT_FDCWD = -100;

const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];

export const close = (door: Door, fd: number): number => door.syscall(numbers.close, fd);

export const openat = (door: Door, path: Memory, flags: number, directory = AT_FDCWD): number =>
  door.syscall(numbers.openat, directory, path.address, flags);

/** include/uapi/linux/close_range.h: set close-on-exec instead of closing; since Linux 5.11 */
export const CLOSE_RANGE_CLOEXEC = 1 << 2;

/** close_range(2), since Linux 5.9: `last` is inclusive and may be behind the end of the table. */
export const closeRange = (door: Door, first: number, last: number, flags: number): number =>
  door.syscall(numbers.close_range, first, last, flags);

export const read = (door: Door, fd: number, into: Memory, length = into.buffer.byteLength): number =>
  door.syscall(numbers.read, fd, into.address, length);

/** read(2) of at most `length` bytes to `offset` of `into`. */
export function readAt(door: Door, fd: number, into: Memory, offset: number, length: number): number {
  const result = door.syscall(numbers.read, fd, into.address + offset, length);
  into.keep();
  return result;
}

export const getdents64 = (door: Door, fd: number, into: Memory): number =>
  door.syscall(numbers.getdents64, fd, into.address, into.buffer.byteLength);

/** 0 or 1 (FD_CLOEXEC) for an open descriptor, -EBADF for a free number. Never touches the file. */
export const getDescriptorFlags = (door: Door, fd: number): number =>
  door.syscall(numbers.fcntl, fd, F_GETFD);

export const FD_CLOEXEC = 1;

/** FD_CLOEXEC or 0. */
export const setDescriptorFlags = (door: Door, fd: number, flags: number): number =>
  door.syscall(numbers.fcntl, fd, F_SETFD, flags);

/** The O_* flags of an open file, access mode included. Never touches the file. */
export const getFileFlags = (door: Door, fd: number): number => door.syscall(numbers.fcntl, fd, F_GETFL);

/** The lowest free descriptor from `least` on, close-on-exec. */
export const duplicate = (door: Door, fd: number, least: number): number =>
  door.syscall(numbers.fcntl, fd, F_DUPFD_CLOEXEC, least);

/** include/uapi/linux/kcmp.h */
const KCMP_FILES = 2;

/**
 * Do two tasks share their descriptor table? kcmp(2): 0 for yes, a positive number for no, or a
 * negative errno, -EPERM where ptrace(2) may not read both.
 */
export const compareTables = (door: Door, one: number, other: number): number =>
  door.syscall(numbers.kcmp, one, other, KCMP_FILES);

/** getxattr(2) of a path, a link followed: the length that is written, or a negative errno. */
export function getAttribute(door: Door, path: string, name: string, into: Memory): number {
  const [at, key] = [Memory.string(door, path), Memory.string(door, name)];
  const length = door.syscall(
    numbers.getxattr,
    at.address,
    key.address,
    into.address,
    into.buffer.byteLength,
  );
  for (const memory of [at, key, into]) memory.keep();
  return length;
}

/** socket(2), close-on-exec. */
export const openSocket = (door: Door, family: number, type: number, protocol: number): number =>
  door.syscall(numbers.socket, family, type | SOCK_CLOEXEC, protocol);
/** include/linux/net.h: O_CLOEXEC, which is the same on x86-64 and arm64 */
const SOCK_CLOEXEC = 0o2000000;

export function write(door: Door, fd: number, bytes: Memory): number {
  const result = door.syscall(numbers.write, fd, bytes.address, bytes.buffer.byteLength);
  bytes.keep();
  return result;
}

/**
 * Size of a memory page in bytes. The C library knows it from the auxiliary vector;
 * the kernel tells by refusing an address that is at no page's beginning (madvise(2)).
 */
export function pageSize(door: Door): number {
  let size = 4096;
  while (size < 65536 && door.syscall(numbers.madvise, size, 0, 0) < 0) size *= 2;
  return size;
}

/**
 * Secret bytes of the kernel's generator; node:crypto, which has them too, takes longer to load
 * than a program. Up to 256 come whole, and no signal interrupts them (getrandom(2)).
 *
 * @returns the bytes, or a negative errno
 */
export function randomBytes(door: Door, length: number): Uint8Array | number {
  const memory = new Memory(door, length);
  const result = door.syscall(numbers.getrandom, memory.address, length, 0);
  memory.keep();
  return result < 0 ? result : memory.u8.subarray(0, length);
}

const CLOCK_BOOTTIME = 7;

/** Milliseconds since boot, suspended time included, in this process's time namespace. */
export function sinceBoot(door: Door): number {
  const time = new Memory(door, 16);
  door.syscall(numbers.clock_gettime, CLOCK_BOOTTIME, time.address);
  time.keep();
  return Number(time.u64[0]) * 1000 + Number(time.u64[1]) / 1e6;
}
