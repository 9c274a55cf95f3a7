/** Mounting, and locking what is mounted: for `fdmap install`. */

import type { Door } from './door.ts';
import { Memory } from './memory.ts';
import { SYSCALLS } from './uapi.gen.ts';

/** flock(2) */
const LOCK_EX = 2;
const LOCK_NB = 4;

const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];

/** mount(2) of a file system that needs no device. */
export function mount(
  door: Door,
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): number {
  const [from, to, kind, options] = [source, target, type, data].map((text) => Memory.string(door, text));
  const result = door.syscall(
    numbers.mount,
    from!.address,
    to!.address,
    kind!.address,
    flags,
    options!.address,
  );
  for (const memory of [from, to, kind, options]) memory!.keep();
  return result;
}

export function unmount(door: Door, target: string, flags: number): number {
  const path = Memory.string(door, target);
  const result = door.syscall(numbers.umount2, path.address, flags);
  path.keep();
  return result;
}

/** Takes the lock, or is told EAGAIN where somebody else has it; it goes with the descriptor. */
export const tryLock = (door: Door, fd: number): number => door.syscall(numbers.flock, fd, LOCK_EX | LOCK_NB);
