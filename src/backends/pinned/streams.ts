/**
 * The calls without bpf(2): an iterator's link that is pinned is a file, whose
 * open(2) starts a stream of the whole machine. What was asked for is picked
 * from it here, so that each answer costs a walk over every task.
 */

import { constants } from 'node:fs';
import { join } from 'node:path';
import { decodeBitmap } from '../../abi/bitmap.ts';
import * as abi from '../../abi/layout.gen.ts';
import type { Executable } from '../../abi/pidinfo/executable.ts';
import { SystemError } from '../../errors.ts';
import { close, openat } from '../../sys/calls.ts';
import { SpareDescriptors, toHighDescriptor } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { EAGAIN, EMFILE, ENOENT, EOPNOTSUPP, ESRCH } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import type { Backend, PidinfoQuestion, PidmapQuestion, Records } from '../backend.ts';
import type { DescriptorStream, FdinfoQuestion } from '../fdinfo.ts';
import { addExecutables } from '../kernel/executables.ts';
import { Chosen } from '../kernel/pidinfo-iterator.ts';
import { PidmapIterator } from '../kernel/pidmap-iterator.ts';
import { readStream, STREAM_BYTES, type StreamOpener } from '../kernel/stream.ts';
import { PinnedDescriptorStream } from './descriptor-stream.ts';
import { inVersion } from './directory.ts';

/** What a pinned link of the iterator `program` is called. */
export const streamName = (program: string): string => `${program}_stream`;

/** O_CLOEXEC and O_PATH, which node:fs does not name: the same on every architecture that has numbers here. */
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const FLAGS = constants.O_RDONLY | O_CLOEXEC;
const ANCHOR_FLAGS = O_PATH | O_CLOEXEC;
const ATTEMPTS = 100;
const HEAD = abi.SIZEOF_FDMAP_HEAD;
const word = (offset: number) => offset >> 2;

/** Opens a pinned stream each time anew; the version that is current is looked up when the last one has gone. */
export function pinnedStream(door: Door, directory: string, program: string): StreamOpener {
  let version: string | undefined;
  let name = Memory.string(door, '');
  const open = (path: string) => {
    if (path !== version) name = Memory.string(door, join(path, streamName(program)));
    version = path;
    const fd = openat(door, name, FLAGS);
    name.keep();
    // Gone, or never there: looked up again, and thrown if it is the same.
    if (fd === -ENOENT) throw new SystemError(fd, 'open', { path: join(path, streamName(program)) });
    return fd;
  };
  return () => inVersion(directory, open, version);
}

export class StreamBackend implements Backend {
  readonly name = 'pinned';
  readonly tier = 'B';
  readonly #door: Door;
  readonly #descriptors: StreamOpener;
  readonly #status: StreamOpener;
  readonly #pidmap: PidmapIterator;
  readonly #piece: Memory;
  readonly #directory: string;
  #spares: SpareDescriptors | undefined;
  #anchor = -1;

  constructor(door: Door, directory: string) {
    this.#door = door;
    this.#directory = directory;
    this.#descriptors = pinnedStream(door, directory, 'fdmap_task');
    this.#status = pinnedStream(door, directory, 'pidinfo_task');
    const tasks = pinnedStream(door, directory, 'pidmap_tasks');
    this.#pidmap = new PidmapIterator(door, tasks, () => this.#spareDescriptors());
    this.#piece = new Memory(door, STREAM_BYTES);
  }

  pidmap(question: PidmapQuestion, target: Int32Array, at: number): number {
    return this.#pidmap.read(question, target, at);
  }

  /** open, a read for each few hundred tasks, close. Tables of more than 261,000 descriptors: EOPNOTSUPP. */
  fdmap(pid: number, start: number, target: Int32Array, at: number): number {
    if (pid < 0) return -ESRCH;
    const wanted = pid || process.pid;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const result = this.#find(wanted, start, target, at);
      if (result !== -EAGAIN) return result;
    }
    return -EAGAIN;
  }

  #find(wanted: number, start: number, target: Int32Array, at: number): number {
    let answer = -ESRCH;
    const result = this.#withDescriptor((open) =>
      readStream(this.#door, open, this.#piece, (length, iterator) => {
        const row = rowOf(this.#piece.i32, length, wanted);
        if (row < 0) return;
        if (wanted === process.pid) hide(this.#piece.u32, row, iterator);
        answer = decode(this.#piece, row, start, target, at);
      }),
    );
    return result < 0 ? result : answer;
  }

  /**
   * open, a read for each 60 tasks, close: with every field, for nothing can be asked for.
   * What a thread alone has used is not in the stream: EOPNOTSUPP.
   */
  pidinfo({ pids, threads }: PidinfoQuestion): Records | number {
    if (threads) return -EOPNOTSUPP;
    const chosen = new Chosen(pids && Int32Array.from(pids));
    const result = this.#withDescriptor(
      (open) =>
        readStream(this.#door, open, this.#piece, (length) => chosen.add(this.#piece.u8.slice(0, length))),
      this.#status,
    );
    if (result < 0) return result;
    const pieces: Uint8Array[] = [];
    chosen.give((piece) => pieces.push(piece));
    return pieces;
  }

  /** A process that has a free descriptor keeps its spares, which are part of its own answer. */
  #withDescriptor(action: (open: StreamOpener) => number, stream = this.#descriptors): number {
    const result = action(stream);
    return result === -EMFILE ? this.#spareDescriptors().lend(() => action(stream)) : result;
  }

  #spareDescriptors(): SpareDescriptors {
    if (!this.#spares) {
      // Any descriptor that stays: the spares are copies of it.
      const path = Memory.string(this.#door, this.#directory);
      this.#anchor = toHighDescriptor(this.#door, openat(this.#door, path, ANCHOR_FLAGS));
      path.keep();
      if (this.#anchor < 0) throw new SystemError(this.#anchor, 'open', { path: this.#directory });
      this.#spares = new SpareDescriptors(this.#door, this.#anchor);
    }
    return this.#spares;
  }

  /** open, a read for each 32 KiB of what every process has, close: for one process as for all. */
  fdinfo({ pid, places, mappings }: FdinfoQuestion): DescriptorStream {
    const programs = [
      'fdinfo_files',
      ...(places ? ['fdinfo_places'] : []),
      ...(mappings ? ['fdinfo_mappings'] : []),
    ];
    return this.#descriptorStream(programs, pid);
  }

  executables(): ReadonlyMap<number, Executable> | number {
    const found = new Map<number, Executable>();
    const error = addExecutables(this.#descriptorStream(['fdinfo_places'], undefined), found);
    return error < 0 ? error : found;
  }

  #descriptorStream(programs: readonly string[], pid: number | undefined): DescriptorStream {
    const streams = programs.map((program) => {
      const open = pinnedStream(this.#door, this.#directory, program);
      return () => this.#withDescriptor((stream) => stream(), open);
    });
    return new PinnedDescriptorStream(this.#door, streams, pid);
  }

  prepare(): void {
    const probe = new Int32Array(1);
    this.#spareDescriptors();
    const asked = this.pidmap({ mode: 'threads', pid: 0, start: 0, kthreads: true }, probe, 0);
    if (asked < 0) throw new SystemError(asked, 'open', { path: streamName('pidmap_tasks') });
  }

  close(): void {
    this.#spares?.close();
    this.#spares = undefined;
    if (this.#anchor >= 0) close(this.#door, this.#anchor);
    this.#anchor = -1;
  }
}

/** Where in a piece of the stream the head of the thread `tid` is; -1: elsewhere. */
function rowOf(words: Int32Array, length: number, tid: number): number {
  for (let at = 0; at + HEAD <= length; ) {
    if (words[word(at + abi.FDMAP_HEAD_PID)] === tid) return at;
    const bitmap = words[word(at + abi.FDMAP_HEAD_WORDS)] as number;
    at += HEAD + (bitmap ? bitmap * 8 + HEAD : 0);
  }
  return -1;
}

/** The descriptor that the question itself needs is not part of the answer. */
function hide(words: Uint32Array, row: number, fd: number): void {
  if (fd < (words[word(row + abi.FDMAP_HEAD_WORDS)] as number) * 64)
    words[word(row + HEAD) + (fd >>> 5)]! &= ~(1 << (fd & 31));
}

function decode(piece: Memory, row: number, start: number, target: Int32Array, at: number): number {
  const words = piece.i32[word(row + abi.FDMAP_HEAD_WORDS)] as number;
  if (words === 0) return (piece.i32[word(row + abi.FDMAP_HEAD_ERROR)] as number) || at;
  const verdict = piece.i32[word(row + HEAD + words * 8 + abi.FDMAP_HEAD_ERROR)] as number;
  if (verdict < 0) return verdict;
  const end = decodeBitmap(piece.u32.subarray(word(row + HEAD)), words * 2, 0, start, target, at);
  const more = words * 64 < (piece.i32[word(row + abi.FDMAP_HEAD_SIZE)] as number);
  return more && end < target.length ? -EOPNOTSUPP : end;
}
