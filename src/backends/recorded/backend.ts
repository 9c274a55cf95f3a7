/** The answers of an image: what was recorded, by the interface of those who ask the kernel. */

import { RecordWriter } from '../../abi/attributes.ts';
import { Chunk } from '../../abi/fdinfo/record.ts';
import type { ImageAbout } from '../../abi/image/about.ts';
import * as abi from '../../abi/layout.gen.ts';
import { groupsOf } from '../../abi/pidinfo/fields.ts';
import { countKind, type KindCounts, noKinds } from '../../abi/pidinfo/kinds.ts';
import { EACCES, EOPNOTSUPP, ESRCH } from '../../sys/errno.ts';
import type { Backend, BackendName, PidinfoQuestion, PidmapQuestion, Records } from '../backend.ts';
import type { DescriptorStream, FdinfoQuestion } from '../fdinfo.ts';
import { withKinds } from './kinds.ts';
import type { RecordIndex } from './records.ts';

export class RecordedBackend implements Backend {
  readonly name: BackendName;
  readonly tier = 'C';
  readonly recorded: { readonly bootTime: number };
  readonly #about: ImageAbout;
  readonly #index: RecordIndex;

  constructor(about: ImageAbout, index: RecordIndex) {
    this.name = about.backend as BackendName;
    this.recorded = about;
    this.#about = about;
    this.#index = index;
  }

  fileKeyId(): string | undefined {
    return this.#about.keyId;
  }

  /** Records of a process that are descriptors' own, in the order of the file. */
  *#records(pid: number): Generator<[chunk: Chunk, at: number, next: number], undefined> {
    for (const { chunk, start, end } of this.#index.runs.get(pid) ?? [])
      for (let at = start; at < end; at += chunk.size(at)) yield [chunk, at, at + chunk.size(at)];
  }

  fdmap(pid: number, start: number, target: Int32Array, at: number): number {
    const numbers = new Set<number>();
    let error = 0;
    for (const [chunk, record] of this.#records(pid)) {
      if (chunk.kind(record) !== abi.FDMAP_KIND_DESCRIPTOR) continue;
      error = Math.min(error, chunk.int(record + abi.FDMAP_RECORD_ERROR));
      const fd = chunk.int(record + abi.FDINFO_RECORD_FD);
      // Another thread's own table is not the process's.
      const own = chunk.int(record + abi.FDINFO_RECORD_TID) === pid;
      if (error === 0 && own && fd >= start) numbers.add(fd);
    }
    if (error < 0) return error;
    if (!this.#index.runs.has(pid)) {
      const status = this.#index.statuses.get(pid);
      if (!status || status.error < 0) return status?.error ?? -ESRCH;
      if (status.fds > 0) return -EACCES;
    }
    for (const fd of [...numbers].sort((a, b) => a - b)) {
      if (at >= target.length) break;
      target[at++] = fd;
    }
    return at;
  }

  pidmap({ mode, pid, start, kthreads }: PidmapQuestion, target: Int32Array, at: number): number {
    if (mode === 'tasks' || mode === 'threads') return -EOPNOTSUPP;
    const { statuses, runs } = this.#index;
    if (mode === 'children' && !statuses.has(pid)) return -ESRCH;
    const numbers = new Set<number>();
    for (const [number, { error, ppid, kernelThread }] of statuses) {
      if (error < 0 || (kernelThread && !kthreads)) continue;
      if (mode === 'processes' || ppid === pid) numbers.add(number);
    }
    if (mode === 'processes')
      for (const number of runs.keys())
        if (!statuses.has(number) && !this.#wasGone(number)) numbers.add(number);
    for (const number of [...numbers].sort((a, b) => a - b)) {
      if (number < start) continue;
      if (at >= target.length) break;
      target[at++] = number;
    }
    return at;
  }

  /** Named when the image was made, and there was no such process. */
  #wasGone(pid: number): boolean {
    for (const [chunk, at] of this.#records(pid))
      if (chunk.int(at + abi.FDMAP_RECORD_ERROR) === -ESRCH) return true;
    return false;
  }

  pidinfo({ pids, fields, threads }: PidinfoQuestion): Records | number {
    if (threads) return -EOPNOTSUPP;
    const { statuses } = this.#index;
    const wantsKinds = (groupsOf(fields) & (1 << abi.PIDINFO_KINDS)) !== 0;
    return [...(pids ?? statuses.keys())].map((pid) => {
      const status = statuses.get(pid);
      if (!status) return missing(pid);
      const counts = wantsKinds && status.error === 0 ? this.#kinds(pid, status.fds) : undefined;
      return counts ? withKinds(status.record, counts) : status.record;
    });
  }

  /** Of its own table; undefined where its descriptors are not in the image, or not to be seen. */
  #kinds(pid: number, fds: number): KindCounts | undefined {
    if (!this.#index.runs.has(pid) && fds !== 0) return undefined;
    const counts = noKinds();
    for (const [chunk, at] of this.#records(pid)) {
      if (chunk.kind(at) !== abi.FDMAP_KIND_DESCRIPTOR) continue;
      if (chunk.int(at + abi.FDMAP_RECORD_ERROR) < 0) return undefined;
      const own = chunk.int(at + abi.FDINFO_RECORD_TID) === pid;
      if (own && chunk.int(at + abi.FDINFO_RECORD_FD) >= 0)
        countKind(counts, chunk.int(at + abi.FDINFO_RECORD_TYPE));
    }
    return counts;
  }

  executables(): number {
    return -EOPNOTSUPP;
  }

  fdinfo(question: FdinfoQuestion): DescriptorStream {
    const chunks = this.#chunks(question);
    return {
      next: () => chunks.next().value ?? 0,
      close: () => chunks.return(undefined),
    };
  }

  *#chunks({ pid, places, mappings }: FdinfoQuestion): Generator<Chunk, undefined> {
    const { chunks, mixed } = this.#index;
    const keep = (chunk: Chunk, at: number) => {
      const fd = chunk.int(at + abi.FDINFO_RECORD_FD);
      return fd >= 0 || (fd === MAPPED ? mappings : places);
    };
    if (pid === undefined) {
      for (const chunk of chunks) yield mixed.has(chunk) ? chosen(recordsOf(chunk), keep, chunk) : chunk;
      return;
    }
    const [first] = this.#index.runs.get(pid) ?? [];
    if (first) yield chosen(this.#records(pid), keep, first.chunk);
  }

  prepare(): void {
    // Everything is in memory.
  }

  close(): void {
    // Nothing is open.
  }
}

const MAPPED = -4;

function* recordsOf(chunk: Chunk): Generator<[chunk: Chunk, at: number, next: number], undefined> {
  for (let at = 0; at < chunk.u8.length; at += chunk.size(at)) yield [chunk, at, at + chunk.size(at)];
}

/** A chunk of those descriptors that are kept, each with the records that go on with it. */
function chosen(
  records: Iterable<[chunk: Chunk, at: number, next: number]>,
  keep: (chunk: Chunk, at: number) => boolean,
  like: Chunk,
): Chunk {
  const pieces: Uint8Array[] = [];
  let kept = true;
  for (const [chunk, at, next] of records) {
    const kind = chunk.kind(at);
    if (kind === abi.FDMAP_KIND_DESCRIPTOR)
      kept = chunk.int(at + abi.FDMAP_RECORD_ERROR) < 0 || keep(chunk, at);
    else if (kind !== abi.FDINFO_KIND_MORE) kept = true;
    if (kept) pieces.push(chunk.u8.subarray(at, next));
  }
  return Chunk.copyOf(Buffer.concat(pieces), like.origin);
}

/** The record of a pid that is not in the image. */
function missing(pid: number): Uint8Array {
  const writer = new RecordWriter(abi.SIZEOF_PIDINFO_RECORD);
  writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
  writer.setU32(writer.fixed(abi.PIDINFO_RECORD_PID), pid).setU32(writer.fixed(abi.PIDINFO_RECORD_TID), pid);
  writer.end(-ESRCH);
  return writer.finish();
}
