/** pidinfo by the iterator of pidinfo-iter.bpf.c. */

import { RecordReader, RecordWriter } from '../../abi/attributes.ts';
import * as abi from '../../abi/layout.gen.ts';
import type { Loaded } from '../../loader/skeleton.ts';
import { createIterator, createIteratorLink, Runner } from '../../sys/bpf.ts';
import { close } from '../../sys/calls.ts';
import type { SpareDescriptors } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { ESRCH } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import { runUntilAnswered } from './retry.ts';
import { FEW, readStream, STREAM_BYTES } from './stream.ts';

export class PidinfoIterator {
  readonly #door: Door;
  readonly #program: number;
  readonly #request: Runner;
  readonly #spares: () => SpareDescriptors;
  readonly #buffer: Memory;

  constructor(door: Door, loaded: Loaded, spares: () => SpareDescriptors) {
    const [request, program] = loaded.programs.values();
    this.#door = door;
    this.#program = program!;
    this.#spares = spares;
    const question = new Memory(door, abi.SIZEOF_PIDINFO_HEAD);
    question.setU32(abi.PIDINFO_HEAD_ABI, abi.FDMAP_ABI);
    this.#request = new Runner(door, request!, question, abi.SIZEOF_PIDINFO_HEAD);
    this.#buffer = new Memory(door, STREAM_BYTES);
  }

  /** Every process, or every thread: six system calls, and one for each 32 KiB of records. */
  all(groups: number, threads: boolean, take: (records: Uint8Array) => void): number {
    return this.#ask(groups, threads ? abi.PIDINFO_THREADS : 0, 0, take);
  }

  /** A record for each of `pids`, in their order: seven system calls each, or a walk over all tasks. */
  read(pids: Int32Array, groups: number, threads: boolean, take: (records: Uint8Array) => void): number {
    return pids.length <= FEW
      ? this.#each(pids, groups, threads, take)
      : this.#among(pids, groups, threads, take);
  }

  #each(pids: Int32Array, groups: number, threads: boolean, take: (records: Uint8Array) => void): number {
    const flags = abi.PIDINFO_LINK | (threads ? abi.PIDINFO_THREADS : 0);
    for (const pid of pids) {
      let found = false;
      // A link takes 0 for "every task", so that neither it nor a negative number must reach it.
      const error =
        pid > 0
          ? this.#ask(groups, flags, pid, (records) => {
              found = true;
              take(records);
            })
          : 0;
      if (error < 0 && error !== -ESRCH) return error;
      if (!found) take(missing(pid));
    }
    return 0;
  }

  #among(pids: Int32Array, groups: number, threads: boolean, take: (records: Uint8Array) => void): number {
    const chosen = new Chosen(pids);
    // Any number may be a thread's.
    const flags = abi.PIDINFO_LINK | (threads ? abi.PIDINFO_THREADS : 0);
    const error = this.#ask(groups, flags, 0, (records) => chosen.add(records));
    if (error < 0) return error;
    chosen.give(take);
    return 0;
  }

  /** 0 or a negative errno. @param pid 0 for all */
  #ask(groups: number, flags: number, pid: number, take: (records: Uint8Array) => void): number {
    const refused = this.#want(groups, flags);
    if (refused < 0) return refused;
    try {
      return this.#stream(pid, take);
    } finally {
      // Whoever reads a stream in this thread without having asked is to get everything.
      this.#want(0, abi.PIDINFO_FORGET);
    }
  }

  #want(groups: number, flags: number): number {
    const { context } = this.#request;
    context.setU32(abi.PIDINFO_HEAD_MASK, groups);
    context.setU32(abi.PIDINFO_HEAD_FLAGS, flags);
    return runUntilAnswered(this.#request, abi.PIDINFO_HEAD_ERROR >> 2);
  }

  #stream(pid: number, take: (records: Uint8Array) => void): number {
    return this.#spares().lend(() => {
      const link = createIteratorLink(this.#door, this.#program, pid);
      if (link < 0) return link;
      try {
        const open = () => createIterator(this.#door, link);
        return readStream(this.#door, open, this.#buffer, (length) => take(this.#buffer.u8.slice(0, length)));
      } finally {
        close(this.#door, link);
      }
    });
  }
}

/** The record of a pid that is not there. */
function missing(pid: number): Uint8Array {
  const writer = new RecordWriter(abi.SIZEOF_PIDINFO_RECORD);
  writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
  writer.setU32(writer.fixed(abi.PIDINFO_RECORD_PID), pid);
  writer.setU32(writer.fixed(abi.PIDINFO_RECORD_TID), pid);
  writer.end(-ESRCH);
  return writer.finish();
}

/** The records of some tasks, out of those of all. */
export class Chosen {
  readonly #pids: Int32Array | undefined;
  readonly #wanted: ReadonlySet<number>;
  readonly #found = new Map<number, Uint8Array>();

  /** @param pids processes or threads; undefined for every process */
  constructor(pids: Int32Array | undefined) {
    this.#pids = pids;
    this.#wanted = new Set(pids);
  }

  add(records: Uint8Array): void {
    const reader = new RecordReader(records);
    while (reader.next()) {
      const pid = reader.i32(reader.at + abi.PIDINFO_RECORD_PID);
      const tid = reader.i32(reader.at + abi.PIDINFO_RECORD_TID);
      if (this.#pids ? !this.#wanted.has(tid) : tid !== pid) continue;
      this.#found.set(tid, records.subarray(reader.at, reader.at + reader.size));
    }
  }

  /** One record each, in the order of `pids`; those that are not there say so. */
  give(take: (records: Uint8Array) => void): void {
    for (const pid of this.#pids ?? this.#found.keys()) take(this.#found.get(pid) ?? missing(pid));
  }
}
