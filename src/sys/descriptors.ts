/** Descriptors of our own: never 0, 1 or 2, and two kept free for bad times. */

import { close, duplicate, getDescriptorFlags } from './calls.ts';
import type { Door } from './door.ts';
import { EBADF } from './errno.ts';

/** Above the standard streams, whose numbers belong to whoever opens them next. */
export const LEAST = 3;

/** Moves a descriptor that the kernel put at 0, 1 or 2. */
export function toHighDescriptor(door: Door, fd: number): number {
  if (fd < 0 || fd >= LEAST) return fd;
  const moved = duplicate(door, fd, LEAST);
  if (moved < 0) return fd;
  close(door, fd);
  return moved;
}

/**
 * Runs `action` with 0, 1 and 2 taken. In bpf(2) a descriptor 0 often means
 * "not given", and a loader program opens maps and programs where we cannot
 * move them in between.
 */
export function withLowDescriptorsTaken<T>(door: Door, action: () => T): T {
  const taken: number[] = [];
  for (let fd = 0; fd < LEAST; fd++) {
    if (getDescriptorFlags(door, fd) !== -EBADF) continue;
    const source = firstOpen(door);
    if (source < 0) break;
    const plug = duplicate(door, source, 0);
    if (plug >= 0) taken.push(plug);
  }
  try {
    return action();
  } finally {
    for (const fd of taken) close(door, fd);
  }
}

/** Any open descriptor; Node itself always holds a few small ones (epoll, eventfd, pipes). */
function firstOpen(door: Door): number {
  for (let fd = 0; fd < 1024; fd++) if (getDescriptorFlags(door, fd) >= 0) return fd;
  return -1;
}

/**
 * Two descriptors in reserve, for a link and an iterator: a process that has run
 * out of descriptors can still ask. Another thread may take the freed numbers
 * first; then EMFILE is the honest answer.
 */
export class SpareDescriptors {
  readonly #door: Door;
  readonly #source: number;
  #spares: number[] = [];

  /** @param source any descriptor to copy: the copies are never used */
  constructor(door: Door, source: number) {
    this.#door = door;
    this.#source = source;
    this.#refill();
  }

  lend<T>(action: () => T): T {
    for (const fd of this.#spares) close(this.#door, fd);
    this.#spares = [];
    try {
      return action();
    } finally {
      this.#refill();
    }
  }

  #refill(): void {
    while (this.#spares.length < 2) {
      const fd = duplicate(this.#door, this.#source, LEAST);
      if (fd < 0) return;
      this.#spares.push(fd);
    }
  }

  close(): void {
    for (const fd of this.#spares) close(this.#door, fd);
    this.#spares = [];
  }
}
