/** fdmap(2) of another task by the iterator of fdmap-iter.bpf.c. */

import { decodeBitmap } from '../../abi/bitmap.ts';
import * as abi from '../../abi/layout.gen.ts';
import type { Loaded } from '../../loader/skeleton.ts';
import { createIterator, createIteratorLink, Runner } from '../../sys/bpf.ts';
import { close } from '../../sys/calls.ts';
import type { SpareDescriptors } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { EAGAIN, ESRCH } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import { runUntilAnswered } from './retry.ts';
import { readStream, STREAM_BYTES } from './stream.ts';

const word = (offset: number) => offset >> 2;
const HEAD = abi.SIZEOF_FDMAP_HEAD;
/** A table that is replaced at every read is not one to wait for. */
const ATTEMPTS = 100;

export class FdmapIterator {
  readonly #door: Door;
  readonly #program: number;
  readonly #request: Runner;
  readonly #spares: () => SpareDescriptors;
  /** A head, up to 32,719 bytes of words, and the head again. */
  readonly #answer: Memory;
  readonly #piece: Memory;

  constructor(door: Door, loaded: Loaded, spares: () => SpareDescriptors) {
    const [request, program] = loaded.programs.values();
    this.#door = door;
    this.#program = program!;
    this.#spares = spares;
    const question = new Memory(door, HEAD);
    question.setU32(abi.FDMAP_HEAD_ABI, abi.FDMAP_ABI);
    this.#request = new Runner(door, request!, question, HEAD);
    this.#answer = new Memory(door, 2 * STREAM_BYTES);
    this.#piece = new Memory(door, STREAM_BYTES);
  }

  /** Six system calls for each 255,000 descriptors (seven from a start on), and two descriptors while they last. */
  read(pid: number, start: number, target: Int32Array, at: number): number {
    // A link takes 0 for "every task", so that a negative number must not reach it either.
    if (pid < 0) return -ESRCH;
    let next = start;
    let index = at;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const length = this.#spares().lend(() => this.#ask(pid, next));
      if (length < 0) return length;
      if (length === 0) return -ESRCH;
      const head = this.#answer.i32;
      const words = head[word(abi.FDMAP_HEAD_WORDS)] as number;
      if (words === 0) return (head[word(abi.FDMAP_HEAD_ERROR)] as number) || index;
      const tail = HEAD + words * 8;
      const verdict = head[word(tail + abi.FDMAP_HEAD_ERROR)] as number;
      if (verdict === -EAGAIN) continue;
      if (verdict < 0) return verdict;
      const base = head[word(abi.FDMAP_HEAD_BASE)] as number;
      index = decodeBitmap(this.#answer.u32.subarray(word(HEAD)), words * 2, base, next, target, index);
      next = base + words * 64;
      if (next >= (head[word(abi.FDMAP_HEAD_SIZE)] as number) || index === target.length) return index;
      attempt = -1;
    }
    return -EAGAIN;
  }

  /** Length of the answer in bytes, or a negative errno. */
  #ask(pid: number, start: number): number {
    const refused = this.#want(start);
    if (refused < 0) return refused;
    try {
      return this.#stream(pid);
    } finally {
      // Whoever reads a stream in this thread without having asked is to get everything.
      if (start > 0) this.#want(0);
    }
  }

  #want(start: number): number {
    const { context } = this.#request;
    context.i32[word(abi.FDMAP_HEAD_START)] = start;
    return runUntilAnswered(this.#request, word(abi.FDMAP_HEAD_ERROR));
  }

  #stream(pid: number): number {
    const link = createIteratorLink(this.#door, this.#program, pid);
    if (link < 0) return link;
    try {
      let length = 0;
      const open = () => createIterator(this.#door, link);
      const result = readStream(this.#door, open, this.#piece, (bytes) => {
        this.#answer.u8.set(this.#piece.u8.subarray(0, bytes), length);
        length += bytes;
      });
      return result < 0 ? result : length;
    } finally {
      close(this.#door, link);
    }
  }
}
