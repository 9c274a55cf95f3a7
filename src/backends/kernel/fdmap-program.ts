/** fdmap(2) by the syscall programs of fdmap.bpf.h, for any task or for the caller alone. */

import { decodeBitmap } from '../../abi/bitmap.ts';
import * as abi from '../../abi/layout.gen.ts';
import { type Loaded, onlyProgram } from '../../loader/skeleton.ts';
import { Runner } from '../../sys/bpf.ts';
import type { Door } from '../../sys/door.ts';
import { Memory } from '../../sys/memory.ts';
import { runUntilAnswered } from './retry.ts';
import { whenNeeded } from './when-needed.ts';

const PID = abi.FDMAP_HEAD_PID >> 2;
const START = abi.FDMAP_HEAD_START >> 2;
const ERROR = abi.FDMAP_HEAD_ERROR >> 2;
const BASE = abi.FDMAP_HEAD_BASE >> 2;
const WORDS = abi.FDMAP_HEAD_WORDS >> 2;
const SIZE = abi.FDMAP_HEAD_SIZE >> 2;

/** One program with its context. */
class Window {
  readonly runner: Runner;
  readonly head: Int32Array;
  readonly bits: Uint32Array;

  constructor(door: Door, program: number, size: number) {
    const context = new Memory(door, size);
    context.setU32(abi.FDMAP_HEAD_ABI, abi.FDMAP_ABI);
    this.runner = new Runner(door, program, context, size);
    this.head = context.i32;
    this.bits = context.u32.subarray(abi.FDMAP_SMALL_OPEN >> 2);
  }
}

export class FdmapProgram {
  readonly #small: Window;
  readonly #wide: () => Window | undefined;

  /** @param loadWide gets the wide form, at the first table beyond 1,024, if the program has one */
  constructor(door: Door, small: Loaded, loadWide?: () => Loaded) {
    this.#small = new Window(door, onlyProgram(small), abi.SIZEOF_FDMAP_SMALL);
    this.#wide = loadWide
      ? whenNeeded(() => new Window(door, onlyProgram(loadWide()), abi.SIZEOF_FDMAP_WIDE))
      : () => undefined;
  }

  /** Loads the wide form now. */
  prepare(): void {
    this.#wide();
  }

  /**
   * One system call for 1,024 descriptors, another for each 261,760 beyond (for each 1,024 where
   * no descriptor is left to load the wide form with).
   */
  read(pid: number, start: number, target: Int32Array, at: number): number {
    let window = this.#small;
    let next = start;
    let index = at;
    for (;;) {
      const { head } = window;
      head[PID] = pid;
      head[START] = next;
      const error = runUntilAnswered(window.runner, ERROR);
      if (error < 0) return error;
      const words = (head[WORDS] as number) * 2;
      const base = head[BASE] as number;
      index = decodeBitmap(window.bits, words, base, next, target, index);
      next = base + words * 32;
      if (words === 0 || next >= (head[SIZE] as number) || index === target.length) return index;
      window = this.#wide() ?? window;
    }
  }
}
