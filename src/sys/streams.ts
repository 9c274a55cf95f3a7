/**
 * What Node changes about the standard streams, recorded before it does: O_NONBLOCK belongs to
 * the open file, and terminal modes to the terminal, so that both outlive an exec.
 */

import { constants } from 'node:fs';
import { getFileFlags } from './calls.ts';
import type { Door } from './door.ts';
import { nativeDoor } from './ffi.ts';
import { Memory } from './memory.ts';
import { OwnDescriptors } from './own.ts';
import { SYSCALLS } from './uapi.gen.ts';

const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];

// include/uapi/asm-generic/ioctls.h; struct termios of asm-generic/termbits.h has 36 bytes
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TERMIOS_BYTES = 64;
const F_SETFL = 4;
const { O_NONBLOCK } = constants;

interface Stream {
  readonly fd: number;
  readonly flags: number;
  /** Modes of the terminal, if it is one. */
  readonly modes: Memory | undefined;
}

const atImport: readonly Stream[] = nativeDoor ? record(nativeDoor) : [];

function record(door: Door): Stream[] {
  const own = new OwnDescriptors(door);
  return [0, 1, 2]
    .map((fd) => ({ fd, flags: getFileFlags(door, fd), modes: modesOf(door, own, fd) }))
    .filter(({ flags }) => flags >= 0);
}

function modesOf(door: Door, own: OwnDescriptors, fd: number): Memory | undefined {
  // No ioctl(2) on what may be anybody's file: FUSE passes them on.
  if (own.stat(fd) < 0 || own.type !== constants.S_IFCHR) return undefined;
  const modes = new Memory(door, TERMIOS_BYTES);
  return door.syscall(numbers.ioctl, fd, TCGETS, modes.address) === 0 ? modes : undefined;
}

/** Puts back O_NONBLOCK and the terminal modes of the standard streams as they were at import. */
export function restoreStreams(door: Door): void {
  const own = new OwnDescriptors(door);
  for (const { fd, flags, modes } of atImport) {
    const now = getFileFlags(door, fd);
    if (now < 0) continue;
    if ((now ^ flags) & O_NONBLOCK) {
      door.syscall(numbers.fcntl, fd, F_SETFL, (now & ~O_NONBLOCK) | (flags & O_NONBLOCK));
    }
    const current = modes && modesOf(door, own, fd);
    // Only where they differ: setting them from the background stops a process (SIGTTOU).
    if (modes && current && Buffer.compare(current.u8, modes.u8) !== 0) {
      door.syscall(numbers.ioctl, fd, TCSETS, modes.address);
      modes.keep();
    }
  }
}
