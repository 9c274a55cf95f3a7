/** pidmap(2) by the iterator of pidmap-iter.bpf.c: every visible task, filtered here. */

import * as abi from '../../abi/layout.gen.ts';
import { appendSorted } from '../../abi/numbers.ts';
import type { SpareDescriptors } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { EACCES, ESRCH } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import type { PidmapQuestion } from '../backend.ts';
import { readStream, STREAM_BYTES, type StreamOpener } from './stream.ts';

const RECORD = abi.SIZEOF_PIDMAP_RECORD >> 2;
const TID = abi.PIDMAP_RECORD_TID >> 2;
const PID = abi.PIDMAP_RECORD_PID >> 2;
const PPID = abi.PIDMAP_RECORD_PPID >> 2;
const FLAGS = abi.PIDMAP_RECORD_FLAGS >> 2;

export class PidmapIterator {
  readonly #door: Door;
  readonly #open: StreamOpener;
  readonly #spares: () => SpareDescriptors;
  readonly #buffer: Memory;

  /** @param open a stream of pidmap_tasks over every task */
  constructor(door: Door, open: StreamOpener, spares: () => SpareDescriptors) {
    this.#door = door;
    this.#open = open;
    this.#spares = spares;
    this.#buffer = new Memory(door, STREAM_BYTES);
  }

  /** Three system calls, and one more for each 2,048 tasks of the namespace. */
  read(question: PidmapQuestion, target: Int32Array, at: number): number {
    const tasks = this.#tasks();
    if (typeof tasks === 'number') return tasks;
    const { mode, start, kthreads } = question;
    const named = mode === 'children' || mode === 'threads';
    let group = question.pid || process.pid;
    if (named) {
      // The number may be a thread's: its process is meant, as find_task_by_vpid() and the kernel's walk have it.
      const row = rows(tasks).find((i) => tasks[i + TID] === group);
      if (row === undefined) return -ESRCH;
      if ((tasks[row + FLAGS] as number) & abi.PIDMAP_RECORD_IS_CLOSED) return -EACCES;
      group = tasks[row + PID] as number;
    }
    const found = rows(tasks).filter((i) => {
      if ((tasks[i + TID] as number) < start || (!kthreads && isKthread(tasks, i))) return false;
      if (mode === 'tasks') return true;
      if (mode === 'threads') return tasks[i + PID] === group;
      return tasks[i + PID] === tasks[i + TID] && (mode === 'processes' || tasks[i + PPID] === group);
    });
    return appendSorted(
      Int32Array.from(found, (i) => tasks[i + TID] as number),
      target,
      at,
    );
  }

  /** All records as one array of 32-bit words, or a negative errno. */
  #tasks(): Int32Array | number {
    return this.#spares().lend(() => {
      const pieces: Int32Array[] = [];
      const result = readStream(this.#door, this.#open, this.#buffer, (length) => {
        pieces.push(this.#buffer.i32.slice(0, length >> 2));
      });
      if (result < 0) return result;
      const words = new Int32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
      let end = 0;
      for (const piece of pieces) {
        words.set(piece, end);
        end += piece.length;
      }
      return words;
    });
  }
}

const isKthread = (tasks: Int32Array, row: number) =>
  ((tasks[row + FLAGS] as number) & abi.PIDMAP_RECORD_IS_KTHREAD) !== 0;

/** Where each record begins. */
function rows(tasks: Int32Array): number[] {
  return Array.from({ length: Math.floor(tasks.length / RECORD) }, (_, i) => i * RECORD);
}
