/** pidinfo by the syscall programs of pidinfo.bpf.h. */

import * as abi from '../../abi/layout.gen.ts';
import { type Loaded, onlyProgram } from '../../loader/skeleton.ts';
import { Runner } from '../../sys/bpf.ts';
import type { Door } from '../../sys/door.ts';
import { EINVAL } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import { runUntilAnswered } from './retry.ts';
import { whenNeeded } from './when-needed.ts';

const FLAGS = abi.PIDINFO_HEAD_FLAGS >> 2;
const MASK = abi.PIDINFO_HEAD_MASK >> 2;
const COUNT = abi.PIDINFO_HEAD_COUNT >> 2;
const STORED = abi.PIDINFO_HEAD_STORED >> 2;
const BYTES = abi.PIDINFO_HEAD_BYTES >> 2;
const ERROR = abi.PIDINFO_HEAD_ERROR >> 2;
const ANSWER = abi.SIZEOF_PIDINFO_HEAD;

/** As many calls of the small form cost less than the wide one takes to load. */
const MANY = 64;

class Window {
  readonly runner: Runner;
  readonly head: Int32Array;
  readonly pids: Int32Array;
  readonly bytes: Uint8Array;

  constructor(door: Door, program: number, size: number, pids: number) {
    const context = new Memory(door, size);
    context.setU32(abi.PIDINFO_HEAD_ABI, abi.FDMAP_ABI);
    this.runner = new Runner(door, program, context, size);
    this.head = context.i32;
    this.pids = context.i32.subarray(ANSWER >> 2, (ANSWER >> 2) + pids);
    this.bytes = context.u8;
  }
}

export class PidinfoProgram {
  readonly #small: Window;
  readonly #wide: () => Window | undefined;

  /** @param loadWide gets the wide form, at the first question about many */
  constructor(door: Door, small: Loaded, loadWide: () => Loaded) {
    this.#small = new Window(door, onlyProgram(small), abi.SIZEOF_PIDINFO_SMALL, abi.PIDINFO_SMALL_PIDS);
    this.#wide = whenNeeded(
      () => new Window(door, onlyProgram(loadWide()), abi.SIZEOF_PIDINFO_WIDE, abi.PIDINFO_WIDE_PIDS),
    );
  }

  /**
   * A record for each of `pids`, in their order, handed to `take` piece by piece: one
   * system call for each 8 of them, of many for each 32 KiB of records or 512 pids.
   *
   * @returns 0 or a negative errno
   */
  read(pids: Int32Array, groups: number, threads: boolean, take: (records: Uint8Array) => void): number {
    for (let at = 0; at < pids.length; ) {
      const left = pids.length - at;
      const window = (left > MANY && this.#wide()) || this.#small;
      const { head } = window;
      const count = Math.min(left, window.pids.length);
      const error = runUntilAnswered(window.runner, ERROR, () => {
        head[FLAGS] = threads ? abi.PIDINFO_THREADS : 0;
        head[MASK] = groups;
        head[COUNT] = count;
        window.pids.set(pids.subarray(at, at + count));
      });
      if (error < 0) return error;
      // Not one fits: a record is longer than the buffer, which its layout excludes.
      if (head[STORED] === 0) return -EINVAL;
      take(window.bytes.slice(ANSWER, ANSWER + (head[BYTES] as number)));
      at += head[STORED] as number;
    }
    return 0;
  }
}
