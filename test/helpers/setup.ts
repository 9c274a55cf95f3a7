/** For every file: worlds are ended, and the descriptors at its end are those of its beginning. */

import { readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect } from 'vitest';
import { getDescriptorFlags } from '../../src/sys/calls.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { SYSCALLS } from '../../src/sys/uapi.gen.ts';
import { patience } from './scale.ts';
import { endWorlds } from './world.ts';

/** Numbers that a test process does not come near. */
const END = 4096;

function openDescriptors(): number[] {
  const door = nativeDoor;
  if (!door) return [];
  return Array.from({ length: END }, (_, fd) => fd).filter((fd) => getDescriptorFlags(door, fd) >= 0);
}

const name = (fd: number) => {
  try {
    return `${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`;
  } catch {
    return String(fd); // closed meanwhile, or no /proc: the number alone tells enough
  }
};

/** fcntl(2) */
const F_SETFD = 2;
const FD_CLOEXEC = 1;

let before: number[] = [];

beforeAll(() => {
  before = openDescriptors();
  // What our own parent left open must not reach the children, whose descriptors are counted.
  const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];
  for (const fd of before) if (fd > 2) nativeDoor?.syscall(numbers.fcntl, fd, F_SETFD, FD_CLOEXEC);
});

afterAll(async () => {
  await endWorlds();
  const added = () => openDescriptors().filter((fd) => !before.includes(fd));
  // Node closes the pipes of an ended child in its own time.
  const deadline = Date.now() + patience(5_000);
  while (added().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(added().map(name), 'descriptors left open by this file').toEqual([]);
  const missing = before.filter((fd) => nativeDoor && getDescriptorFlags(nativeDoor, fd) < 0);
  expect(missing, 'descriptors of others closed by this file').toEqual([]);
});
