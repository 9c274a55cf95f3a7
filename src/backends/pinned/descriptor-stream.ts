/** fdinfo without bpf(2): pinned streams of everything, of which the records that were asked for are kept. */

import { Chunk } from '../../abi/fdinfo/record.ts';
import * as abi from '../../abi/layout.gen.ts';
import { close } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { Memory } from '../../sys/memory.ts';
import type { DescriptorStream } from '../fdinfo.ts';
import { readPiece, STREAM_BYTES, type StreamOpener } from '../kernel/stream.ts';

/** Opens one stream after the other: a read for each 32 KiB of what all processes have. */
export class PinnedDescriptorStream implements DescriptorStream {
  readonly #door: Door;
  readonly #streams: StreamOpener[];
  readonly #pid: number | undefined;
  readonly #piece: Memory;
  readonly #u16: Uint16Array;
  #iterator = -1;

  /** @param pid the one process that is told of; every one if absent */
  constructor(door: Door, streams: readonly StreamOpener[], pid: number | undefined) {
    this.#door = door;
    this.#streams = [...streams];
    this.#pid = pid;
    this.#piece = new Memory(door, STREAM_BYTES);
    this.#u16 = new Uint16Array(this.#piece.buffer);
  }

  next(): Chunk | number {
    for (;;) {
      if (this.#iterator < 0) {
        const open = this.#streams[0];
        if (!open) return 0;
        this.#iterator = open();
        if (this.#iterator < 0) return this.#iterator;
      }
      const length = readPiece(this.#door, this.#iterator, this.#piece);
      if (length < 0) return length;
      if (length === 0) {
        this.#stop();
        this.#streams.shift();
        continue;
      }
      const kept = this.#keep(length);
      if (kept > 0) return Chunk.copyOf(this.#piece.u8.subarray(0, kept));
    }
  }

  /** Moves the records that were asked for to the front; gives their length. */
  #keep(length: number): number {
    const { u8, u32 } = this.#piece;
    let kept = 0;
    for (let at = 0; at < length; ) {
      const size = u32[(at + abi.FDMAP_RECORD_SIZE) >> 2] as number;
      if (this.#isWanted(at)) {
        if (kept < at) u8.copyWithin(kept, at, at + size);
        kept += size;
      }
      at += size;
    }
    return kept;
  }

  #isWanted(at: number): boolean {
    const { i32 } = this.#piece;
    const kind = this.#u16[(at + abi.FDMAP_RECORD_KIND) >> 1];
    // Of processes that may not be read nothing but their number is known.
    if (kind === abi.FDINFO_KIND_HIDDEN) return this.#pid === undefined;
    // A continuation has its numbers where a record has them.
    const pid = i32[(at + abi.FDINFO_RECORD_PID) >> 2];
    if (this.#pid !== undefined && pid !== this.#pid) return false;
    // What the question itself needs is not part of the answer.
    return !(pid === process.pid && i32[(at + abi.FDINFO_RECORD_FD) >> 2] === this.#iterator);
  }

  #stop(): void {
    if (this.#iterator >= 0) close(this.#door, this.#iterator);
    this.#iterator = -1;
  }

  close(): void {
    this.#stop();
    this.#streams.length = 0;
  }
}
