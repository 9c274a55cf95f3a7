/** Reads everything that an iterator has to say. */

import { createIterator, createIteratorLink } from '../../sys/bpf.ts';
import { close, readAt } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { EAGAIN } from '../../sys/errno.ts';
import type { Memory } from '../../sys/memory.ts';

/**
 * What one read(2) of an iterator returns at the most: PAGE_SIZE << 3 in
 * bpf_iter_get_info(). With a buffer of this size every read ends at a record.
 */
export const STREAM_BYTES = 32 * 1024;

/** Up to so many processes that are named a link for each costs less than a walk over all tasks. */
export const FEW = 16;

/**
 * EAGAIN: a million objects without a record (bpf_seq_read()), or the storage of this thread was not
 * to be had for a moment. There may be more; this many in a row are a fault to report.
 */
const ATTEMPTS = 10_000;

/** The next records of an iterator, written at `offset`: their length, 0 at the end, or a negative errno. */
export function readPiece(
  door: Door,
  iterator: number,
  into: Memory,
  offset = 0,
  ask?: () => number,
): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const asked = ask?.() ?? 0;
    if (asked < 0) return asked;
    const length = readAt(door, iterator, into, offset, STREAM_BYTES);
    if (length !== -EAGAIN) return length;
  }
  return -EAGAIN;
}

/** Opens a stream from its beginning: a descriptor, or a negative errno. */
export type StreamOpener = () => number;

/** Every task, by a link of one's own that is made at the first stream and kept. */
export class OwnLink {
  readonly #door: Door;
  readonly #program: number;
  #link = -1;

  constructor(door: Door, program: number) {
    this.#door = door;
    this.#program = program;
  }

  readonly open: StreamOpener = () => {
    if (this.#link < 0) this.#link = createIteratorLink(this.#door, this.#program);
    return this.#link < 0 ? this.#link : createIterator(this.#door, this.#link);
  };

  close(): void {
    if (this.#link >= 0) close(this.#door, this.#link);
    this.#link = -1;
  }
}

/**
 * Reads a stream to its end and hands each piece to `take`: the bytes are
 * `buffer`'s first `length` ones, until the next piece.
 *
 * @returns 0 or a negative errno
 */
export function readStream(
  door: Door,
  open: StreamOpener,
  buffer: Memory,
  take: (length: number, iterator: number) => void,
): number {
  const iterator = open();
  if (iterator < 0) return iterator;
  try {
    for (;;) {
      const length = readPiece(door, iterator, buffer);
      if (length <= 0) return length;
      take(length, iterator);
    }
  } finally {
    close(door, iterator);
  }
}
