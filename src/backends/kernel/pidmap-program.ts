/** pidmap(2) by the syscall programs of pidmap.bpf.h. */

import * as abi from '../../abi/layout.gen.ts';
import { appendSorted } from '../../abi/numbers.ts';
import { type Loaded, onlyProgram } from '../../loader/skeleton.ts';
import { Runner } from '../../sys/bpf.ts';
import type { Door } from '../../sys/door.ts';
import { Memory } from '../../sys/memory.ts';
import type { PidmapMode, PidmapQuestion } from '../backend.ts';
import { runUntilAnswered } from './retry.ts';
import { whenNeeded } from './when-needed.ts';

const MODE = abi.PIDMAP_HEAD_MODE >> 2;
const PID = abi.PIDMAP_HEAD_PID >> 2;
const START = abi.PIDMAP_HEAD_START >> 2;
const END = abi.PIDMAP_HEAD_END >> 2;
const ERROR = abi.PIDMAP_HEAD_ERROR >> 2;
const COUNT = abi.PIDMAP_HEAD_COUNT >> 2;
const STORED = abi.PIDMAP_HEAD_STORED >> 2;
const NESTED = abi.PIDMAP_HEAD_NESTED >> 2;

const MODES: Readonly<Record<PidmapMode, number>> = {
  tasks: abi.PIDMAP_TASKS,
  processes: abi.PIDMAP_PROC,
  children: abi.PIDMAP_CHILDREN,
  threads: abi.PIDMAP_THREADS,
};

/** PID_MAX_LIMIT of include/linux/threads.h: no number is as large. */
const PID_END = 4 * 1024 * 1024 + 1;

class Window {
  readonly runner: Runner;
  readonly head: Int32Array;
  readonly pids: Int32Array;
  readonly room: number;

  constructor(door: Door, program: number, size: number, room: number) {
    const context = new Memory(door, size);
    context.setU32(abi.PIDMAP_HEAD_ABI, abi.FDMAP_ABI);
    this.runner = new Runner(door, program, context, size);
    this.head = context.i32;
    this.pids = context.i32.subarray(abi.PIDMAP_SMALL_PIDS >> 2, (abi.PIDMAP_SMALL_PIDS >> 2) + room);
    this.room = room;
  }
}

export class PidmapProgram {
  readonly #small: Window;
  readonly #wide: () => Window | undefined;
  /** Where the last question of each mode ended up, so that the small walk is not made in vain. */
  readonly #wasLarge = new Set<PidmapMode>();
  /** The caller's pid namespace, as of the last answer, is not the initial one. */
  nested = false;

  /** @param loadWide gets the wide form, at the first answer of more than 1,012 */
  constructor(door: Door, small: Loaded, loadWide: () => Loaded) {
    this.#small = new Window(door, onlyProgram(small), abi.SIZEOF_PIDMAP_SMALL, abi.PIDMAP_SMALL_ROOM);
    this.#wide = whenNeeded(
      () => new Window(door, onlyProgram(loadWide()), abi.SIZEOF_PIDMAP_WIDE, abi.PIDMAP_WIDE_ROOM),
    );
  }

  /** Loads the wide form now. */
  prepare(): void {
    this.#wide();
  }

  /**
   * One walk of the task list for up to 8,180 numbers (a second one when there turn
   * out to be more than 1,012), and one for each window beyond.
   */
  read(question: PidmapQuestion, target: Int32Array, at: number): number {
    const { mode } = question;
    let window = (this.#wasLarge.has(mode) && this.#wide()) || this.#small;
    let from = Math.max(question.start, 1);
    let width = Math.max(PID_END - from, 1);
    let index = at;
    do {
      const { head } = window;
      head[MODE] = MODES[mode] | (question.kthreads ? 0 : abi.PIDMAP_IGNORE_KTHREADS);
      head[PID] = question.pid;
      head[START] = from;
      head[END] = from + width;
      const error = runUntilAnswered(window.runner, ERROR);
      this.nested = head[NESTED] === 1;
      if (error < 0) return error;
      const count = head[COUNT] as number;
      if (count > window.room) {
        // Too many for the buffer: the wide one, then a narrower window of the numbers.
        const larger = window === this.#small ? this.#wide() : undefined;
        if (larger) {
          window = larger;
          this.#wasLarge.add(mode);
        } else {
          width = Math.max(Math.floor((width * window.room * 0.75) / count), 1);
        }
        continue;
      }
      if (count <= this.#small.room / 2) this.#wasLarge.delete(mode);
      index = appendSorted(window.pids.subarray(0, head[STORED]), target, index);
      from += width;
      width = count * 4 < window.room ? width * 4 : width;
      if (from + width > PID_END) width = PID_END - from;
    } while (from < PID_END && index < target.length);
    return index;
  }
}
