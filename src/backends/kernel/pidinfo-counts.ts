/** Descriptor counts of every process by the syscall program of pidinfo-counts.bpf.c. */

import * as abi from '../../abi/layout.gen.ts';
import { type Loaded, onlyProgram } from '../../loader/skeleton.ts';
import { Runner } from '../../sys/bpf.ts';
import type { Door } from '../../sys/door.ts';
import { Memory } from '../../sys/memory.ts';
import { runUntilAnswered } from './retry.ts';

const word = (offset: number) => offset >> 2;
const HEAD = word(abi.SIZEOF_PIDMAP_HEAD);
const EACH = word(abi.SIZEOF_PIDINFO_COUNT);
/** PID_MAX_LIMIT of include/linux/threads.h: no number is as large. */
const PID_END = 4 * 1024 * 1024 + 1;

/** A record: the fixed part and the group FILES. */
const FILES = abi.SIZEOF_PIDINFO_RECORD;
const SIZE = FILES + abi.SIZEOF_PIDINFO_FILES;
/** What each record has, as words. */
const TEMPLATE = (() => {
  const bytes = new DataView(new ArrayBuffer(SIZE));
  bytes.setUint32(abi.FDMAP_RECORD_SIZE, SIZE, true);
  bytes.setUint16(abi.FDMAP_RECORD_KIND, abi.FDMAP_KIND_PROCESS, true);
  bytes.setUint16(abi.FDMAP_RECORD_FIXED, abi.SIZEOF_PIDINFO_RECORD, true);
  bytes.setUint16(abi.FDMAP_RECORD_VERSION, abi.FDMAP_FORMAT, true);
  bytes.setUint32(abi.FDMAP_RECORD_MASK, 1 << abi.PIDINFO_FILES, true);
  bytes.setUint16(FILES, abi.SIZEOF_PIDINFO_FILES, true);
  bytes.setUint16(FILES + 2, abi.PIDINFO_FILES, true);
  // The table's size is not asked for: all ones is not known.
  bytes.setUint32(FILES + abi.PIDINFO_FILES_TABLE, 0xffff_ffff, true);
  return new Uint32Array(bytes.buffer);
})();

export class CountsProgram {
  readonly #runner: Runner;
  readonly #head: Int32Array;
  readonly #words: Uint32Array;
  /** Where windows of numbers end, but for the last one. */
  #ends: readonly number[] = [];

  constructor(door: Door, loaded: Loaded) {
    const context = new Memory(door, abi.SIZEOF_PIDINFO_COUNTS);
    context.setU32(abi.PIDMAP_HEAD_ABI, abi.FDMAP_ABI);
    context.setU32(abi.PIDMAP_HEAD_MODE, abi.PIDMAP_PROC);
    this.#runner = new Runner(door, onlyProgram(loaded), context, abi.SIZEOF_PIDINFO_COUNTS);
    this.#head = context.i32;
    this.#words = context.u32;
  }

  /** One walk of the task list for each 2,045 processes. EOPNOTSUPP in a nested pid namespace. */
  read(take: (records: Uint8Array) => void): number {
    const head = this.#head;
    for (let from = 1; from < PID_END; ) {
      const end = this.#ends.find((each) => each > from) ?? PID_END;
      head[word(abi.PIDMAP_HEAD_START)] = from;
      head[word(abi.PIDMAP_HEAD_END)] = end;
      const error = runUntilAnswered(this.#runner, word(abi.PIDMAP_HEAD_ERROR));
      if (error < 0) return error;
      const count = head[word(abi.PIDMAP_HEAD_COUNT)] as number;
      const stored = head[word(abi.PIDMAP_HEAD_STORED)] as number;
      if (count > stored) {
        this.#split(from, end, stored);
        continue;
      }
      if (count > 0) take(this.#records(stored));
      from = end;
    }
    return 0;
  }

  /**
   * Too many for the buffer: a window ends behind most of those that it held, which are the
   * oldest and so, mostly, the smallest numbers. Ends are kept for the next question.
   */
  #split(from: number, end: number, stored: number): void {
    const places = order(this.#words, stored);
    const middle = this.#words[places[Math.floor(stored * 0.8)] as number] as number;
    const width = middle > from && middle < end ? middle - from : Math.max((end - from) >> 1, 1);
    this.#ends = [...this.#ends, from + width].sort((a, b) => a - b);
  }

  /** Ascending by number, as the iterators have them; the kernel's list is by creation. */
  #records(count: number): Uint8Array {
    const words = this.#words;
    const records = new Uint32Array((count * SIZE) >> 2);
    const places = order(words, count);
    for (let i = 0, to = 0; i < count; i++, to += SIZE >> 2) {
      const from = places[i] as number;
      for (let each = 0; each < TEMPLATE.length; each++) records[to + each] = TEMPLATE[each] as number;
      const pid = words[from] as number;
      records[to + word(abi.PIDINFO_RECORD_PID)] = pid;
      records[to + word(abi.PIDINFO_RECORD_TID)] = pid;
      records[to + word(abi.PIDINFO_RECORD_START_TIME)] = words[
        from + word(abi.PIDINFO_COUNT_START_TIME)
      ] as number;
      records[to + word(abi.PIDINFO_RECORD_START_TIME) + 1] = words[
        from + word(abi.PIDINFO_COUNT_START_TIME) + 1
      ] as number;
      records[to + word(FILES + abi.PIDINFO_FILES_COUNT)] = words[
        from + word(abi.PIDINFO_COUNT_COUNT)
      ] as number;
    }
    return new Uint8Array(records.buffer);
  }
}

/** Where each process is, ascending by its number. */
function order(words: Uint32Array, count: number): Uint32Array {
  const places = new Uint32Array(count);
  // Numbers are given in ascending order and begin anew at the end: mostly there are two runs.
  let second = count;
  let runs = 1;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const at = HEAD + i * EACH;
    const pid = words[at] as number;
    places[i] = at;
    if (pid < before && runs++ === 1) second = i;
    before = pid;
  }
  if (runs === 1) return places;
  if (runs > 2) return places.sort((a, b) => (words[a] as number) - (words[b] as number));
  const merged = new Uint32Array(count);
  for (let i = 0, a = 0, b = second; i < count; i++) {
    const first =
      b === count ||
      (a < second && (words[places[a] as number] as number) < (words[places[b] as number] as number));
    merged[i] = places[first ? a++ : b++] as number;
  }
  return merged;
}
