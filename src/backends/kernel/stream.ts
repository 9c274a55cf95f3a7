/** Reads everything that an iterator has to say. */

import { createIterator } from '../../sys/bpf.ts';
import { close, read } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { EAGAIN } from '../../sys/errno.ts';
import type { Memory } from '../../sys/memory.ts';

/**
 * What one read(2) of an iterator returns at the most: PAGE_SIZE << 3 in
 * bpf_iter_get_info(). With a buffer of this size every read ends at a record.
 */
export const STREAM_BYTES = 32 * 1024;

/**
 * Opens a stream of `link` and hands each piece to `take`: the bytes are
 * `buffer`'s first `length` ones, until the next piece.
 *
 * @returns 0 or a negative errno
 */
export function readStream(door: Door, link: number, buffer: Memory, take: (length: number) => void): number {
  const iterator = createIterator(door, link);
  if (iterator < 0) return iterator;
  try {
    for (;;) {
      const length = read(door, iterator, buffer);
      // EAGAIN: a million objects without a record (bpf_seq_read()); there may be more.
      if (length === -EAGAIN) continue;
      if (length <= 0) return length;
      take(length);
    }
  } finally {
    close(door, iterator);
  }
}
