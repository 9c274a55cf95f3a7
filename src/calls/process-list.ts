import { RecordReader } from '../abi/attributes.ts';
import {
  FDMAP_KIND_PROCESS,
  FDMAP_TRUNCATED,
  PIDINFO_RECORD_PID,
  PIDINFO_RECORD_START_TIME,
  PIDINFO_RECORD_TID,
  SIZEOF_PIDINFO_RECORD,
} from '../abi/layout.gen.ts';
import { cgroupPath, DECODERS, type NumericField, type ProcessValues } from '../abi/pidinfo/decode.ts';
import type { Executable } from '../abi/pidinfo/executable.ts';
import type { ProcessField } from '../abi/pidinfo/fields.ts';
import type { Records } from '../backends/backend.ts';
import { DecodeError } from '../errors.ts';
import { ESRCH, errnoName } from '../sys/errno.ts';
import { ProcessSnapshot } from './process-snapshot.ts';

/** Why a process that was named could not be read. */
export interface ReadError {
  /** `'ESRCH'`, `'EACCES'`, … */
  readonly code: string;
  readonly syscall: string;
}

/**
 * One process, or one thread. A member that is absent is not known, or was not
 * asked for. Times are in ms, sizes in bytes.
 */
export interface Process extends Readonly<ProcessValues> {
  readonly pid: number;
  /** The command line; empty for kernel threads. */
  readonly args?: readonly string[];
  /** Where `args` were asked for and are absent: why. `ENOENT` where /proc is not mounted. */
  readonly argsError?: ReadError;
  /** The file that it runs; absent where the caller may not read the process. */
  readonly exe?: Executable;
  /** Path of its cgroup v2 from the root of the caller's cgroup namespace. */
  readonly cgroup?: string;
  /** `cgroup` is longer than 1,024 bytes or 64 levels, and cut there. */
  readonly truncated?: true;
  /** Time of the start, ISO 8601, by this machine's clock as it goes now. */
  readonly started?: string;
  /** Only in rows of processes that were named and could not be read. */
  readonly error?: ReadError;
}

export interface ListSource {
  readonly records: Records;
  readonly fields: readonly ProcessField[];
  /** The caller named them: one that is gone has a row. */
  readonly named: boolean;
  /** Wall-clock time of boot, in ms since 1970: for `started`. */
  readonly bootTime: () => number;
  /** The command line of a process, or a negative errno: for `args`. */
  readonly args: (pid: number) => readonly string[] | number;
  /** For `exe`; of all processes, or of those that were named. */
  readonly executables: (pids: readonly number[] | undefined) => ReadonlyMap<number, Executable>;
  /** Start of each task that is there now, by tid, as the records have it: asked for after `args` and `exe`. */
  readonly startTimes: () => ReadonlyMap<number, number>;
}

/** Start of each task that the records tell of, by tid. */
export function startTimesIn(records: Records): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const piece of records) {
    const reader = new RecordReader(piece);
    while (reader.skim())
      if (reader.kind === FDMAP_KIND_PROCESS && reader.error === 0)
        times.set(reader.i32(reader.at + PIDINFO_RECORD_TID), startOf(reader));
  }
  return times;
}

const startOf = (reader: RecordReader) => reader.number(reader.at + PIDINFO_RECORD_START_TIME);

interface CgroupPath {
  readonly path: string;
  readonly truncated: boolean;
}

/** What this record tells. */
function cgroupOf(reader: RecordReader): CgroupPath | undefined {
  const path = cgroupPath(reader);
  return path === undefined ? undefined : { path, truncated: (reader.flags & FDMAP_TRUNCATED) !== 0 };
}

/**
 * What pidinfo() answers with. The kernel's records are kept as they are: each
 * row is decoded when it is asked for, anew each time.
 */
export class ProcessList implements Iterable<Process> {
  readonly fields: readonly ProcessField[];
  /** Processes that the caller named and that are gone. */
  readonly vanished: number;
  readonly length: number;
  /** @internal the errno of the first row */
  readonly firstError: number;
  readonly #source: ListSource;
  readonly #decoders: readonly ((reader: RecordReader) => unknown)[];
  readonly #wantsArgs: boolean;
  readonly #wantsCgroup: boolean;
  readonly #args = new Map<number, readonly string[] | number>();
  readonly #executables: ReadonlyMap<number, Executable> | undefined;
  /** What is joined by number is this process's where the number was its own before and after. */
  readonly #startsAfter: ReadonlyMap<number, number>;
  /** By id: the kernel tells each once. */
  readonly #cgroups = new Map<number, CgroupPath>();

  /** @internal */
  constructor(source: ListSource) {
    this.fields = source.fields;
    this.#source = source;
    this.#wantsArgs = this.fields.includes('args');
    this.#wantsCgroup = this.fields.includes('cgroup');
    this.#decoders = this.fields.map((field) => this.#decoderOf(field));
    let length = 0;
    let vanished = 0;
    let firstError = 0;
    const pids = new Set<number>();
    this.#visit(this.#wantsCgroup, (reader) => {
      if (length++ === 0) firstError = reader.error;
      if (reader.error === -ESRCH) vanished++;
      if (source.named) pids.add(DECODERS.pid(reader) as number);
      // Not in the records; asked for now, while they are fresh.
      if (this.#wantsArgs && reader.error === 0) {
        const tid = reader.i32(reader.at + PIDINFO_RECORD_TID);
        this.#args.set(tid, source.args(tid));
      }
      if (this.#wantsCgroup) this.#learnCgroup(reader);
    });
    this.#executables = this.fields.includes('exe')
      ? source.executables(source.named ? [...pids] : undefined)
      : undefined;
    this.#startsAfter = this.#wantsArgs || this.#executables ? source.startTimes() : new Map();
    this.length = length;
    this.vanished = vanished;
    this.firstError = firstError;
  }

  #learnCgroup(reader: RecordReader): void {
    const own = cgroupOf(reader);
    const id = DECODERS.cgroupId(reader);
    if (own && id !== undefined) this.#cgroups.set(id, own);
  }

  /** At each record in turn. @param whole with its attributes, not the fixed part alone */
  #visit(whole: boolean, visitor: (reader: RecordReader) => void): void {
    for (const piece of this.#source.records) {
      const reader = new RecordReader(piece);
      while (whole ? reader.next() : reader.skim()) if (this.#counts(reader)) visitor(reader);
    }
  }

  #counts(reader: RecordReader): boolean {
    if (reader.kind !== FDMAP_KIND_PROCESS) return false;
    if (reader.fixed < SIZEOF_PIDINFO_RECORD)
      throw new DecodeError(`a process with a fixed part of ${reader.fixed} bytes`, reader.at);
    // One of all that has gone before it was read is none.
    return reader.error === 0 || this.#source.named;
  }

  #row(reader: RecordReader): Process {
    const pid = reader.i32(reader.at + PIDINFO_RECORD_PID);
    if (reader.error < 0) return { pid, error: { code: errnoName(reader.error), syscall: 'pidinfo' } };
    const row: Record<string, unknown> = { pid };
    const { fields } = this;
    const decoders = this.#decoders;
    for (let i = 0; i < fields.length; i++) {
      const value = (decoders[i] as (typeof decoders)[number])(reader);
      if (value !== undefined) row[fields[i] as string] = value;
    }
    if (this.#wantsArgs) this.#explainArgs(reader, row);
    if (this.#wantsCgroup && this.#cgroupOf(reader)?.truncated) row.truncated = true;
    return row as unknown as Process;
  }

  /** Where a field comes from: most from the record. */
  #decoderOf(field: ProcessField): (reader: RecordReader) => unknown {
    switch (field) {
      case 'args':
        return (reader) => {
          const args = this.#argsOf(reader);
          return typeof args === 'number' ? undefined : args;
        };
      case 'exe':
        return (reader) =>
          this.#isStillThere(reader) ? this.#executables?.get(DECODERS.pid(reader) as number) : undefined;
      case 'cgroup':
        return (reader) => this.#cgroupOf(reader)?.path;
      case 'started':
        return (reader) => {
          const started = new Date(this.#source.bootTime() + (DECODERS.startTime(reader) as number));
          // Of a forged image: a time that no calendar has.
          return Number.isNaN(started.getTime()) ? undefined : started.toISOString();
        };
      default:
        return DECODERS[field];
    }
  }

  #cgroupOf(reader: RecordReader): CgroupPath | undefined {
    const id = DECODERS.cgroupId(reader);
    return cgroupOf(reader) ?? (id === undefined ? undefined : this.#cgroups.get(id));
  }

  /** False where its number may have been another's when `args` and `exe` were read. */
  #isStillThere(reader: RecordReader): boolean {
    return this.#startsAfter.get(DECODERS.tid(reader) as number) === startOf(reader);
  }

  #argsOf(reader: RecordReader): readonly string[] | number | undefined {
    const args = this.#args.get(DECODERS.tid(reader) as number);
    return typeof args === 'number' || this.#isStillThere(reader) ? args : -ESRCH;
  }

  #explainArgs(reader: RecordReader, row: Record<string, unknown>): void {
    const errno = this.#argsOf(reader);
    if (typeof errno === 'number') row.argsError = { code: errnoName(errno), syscall: 'open' };
  }

  /**
   * The bytes that the kernel answered with, in pieces of whole records: for a program that reads
   * them itself (`fdmap/abi`, docs/abi.md). `args` and `exe` are not in them.
   */
  get records(): readonly Uint8Array[] {
    return this.#source.records;
  }

  *[Symbol.iterator](): Generator<Process, undefined> {
    for (const piece of this.#source.records) {
      const reader = new RecordReader(piece);
      while (reader.next()) if (this.#counts(reader)) yield this.#row(reader);
    }
  }

  toArray(): Process[] {
    const rows: Process[] = [];
    this.#visit(true, (reader) => rows.push(this.#row(reader)));
    return rows;
  }

  /**
   * Fields as columns, an element for each row in the order of the rows; NaN is
   * not known. No object is made for a row: for sums and sorting of many.
   */
  columns<F extends NumericField>(fields: readonly F[]): Record<F, Float64Array> {
    const arrays = fields.map(() => new Float64Array(this.length).fill(Number.NaN));
    const decoders = fields.map((field) => DECODERS[field] as (r: RecordReader) => number | undefined);
    let row = 0;
    this.#visit(true, (reader) => {
      if (reader.error === 0) {
        for (let i = 0; i < arrays.length; i++) {
          const value = (decoders[i] as (typeof decoders)[number])(reader);
          if (value !== undefined) (arrays[i] as Float64Array)[row] = value;
        }
      }
      row++;
    });
    return Object.fromEntries(fields.map((field, i) => [field, arrays[i]])) as Record<F, Float64Array>;
  }

  /** What JSON.stringify() takes: the rows, a large inode as text. It makes null of a limit that is infinite. */
  toJSON(): unknown[] {
    return this.toArray().map((row) =>
      typeof row.exe?.inode === 'bigint' ? { ...row, exe: { ...row.exe, inode: `${row.exe.inode}` } } : row,
    );
  }

  /** The rows as they are now, with ways through them: by pid, by parent, as a tree. */
  snapshot(): ProcessSnapshot {
    return new ProcessSnapshot(this.toArray());
  }
}
