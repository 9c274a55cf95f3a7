import { RecordReader } from '../abi/attributes.ts';
import {
  FDMAP_KIND_PROCESS,
  PIDINFO_RECORD_PID,
  PIDINFO_RECORD_TID,
  SIZEOF_PIDINFO_RECORD,
} from '../abi/layout.gen.ts';
import { DECODERS, type NumericField, type ProcessValues } from '../abi/pidinfo/decode.ts';
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
  /** The command line of a process: for `args`. */
  readonly args: (pid: number) => readonly string[] | undefined;
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
  readonly #args = new Map<number, readonly string[]>();

  /** @internal */
  constructor(source: ListSource) {
    this.fields = source.fields;
    this.#source = source;
    const wantsArgs = this.fields.includes('args');
    let length = 0;
    let vanished = 0;
    let firstError = 0;
    for (const reader of this.#readers()) {
      if (length++ === 0) firstError = reader.error;
      if (reader.error === -ESRCH) vanished++;
      // The only thing that is not in the records; asked for now, while they are fresh.
      const args =
        wantsArgs && reader.error === 0 ? source.args(reader.i32(reader.at + PIDINFO_RECORD_TID)) : undefined;
      if (args) this.#args.set(reader.i32(reader.at + PIDINFO_RECORD_TID), args);
    }
    this.length = length;
    this.vanished = vanished;
    this.firstError = firstError;
  }

  /** A reader at each record in turn. */
  *#readers(): Generator<RecordReader> {
    for (const piece of this.#source.records) {
      const reader = new RecordReader(piece);
      while (reader.next()) {
        if (reader.kind !== FDMAP_KIND_PROCESS) continue;
        if (reader.fixed < SIZEOF_PIDINFO_RECORD)
          throw new DecodeError(`a process with a fixed part of ${reader.fixed} bytes`, reader.at);
        // One of all that has gone before it was read is none.
        if (reader.error === 0 || this.#source.named) yield reader;
      }
    }
  }

  #row(reader: RecordReader): Process {
    if (reader.error < 0) {
      const pid = reader.i32(reader.at + PIDINFO_RECORD_PID);
      return { pid, error: { code: errnoName(reader.error), syscall: 'pidinfo' } };
    }
    const row: Record<string, unknown> = { pid: DECODERS.pid(reader) };
    for (const field of this.fields) {
      const value = this.#value(reader, field);
      if (value !== undefined) row[field] = value;
    }
    return row as unknown as Process;
  }

  #value(reader: RecordReader, field: ProcessField): unknown {
    if (field === 'args') return this.#args.get(DECODERS.tid(reader) as number);
    if (field === 'started') {
      const started = this.#source.bootTime() + (DECODERS.startTime(reader) as number);
      return new Date(started).toISOString();
    }
    return DECODERS[field](reader);
  }

  *[Symbol.iterator](): Generator<Process, undefined> {
    for (const reader of this.#readers()) yield this.#row(reader);
  }

  toArray(): Process[] {
    const rows: Process[] = [];
    for (const reader of this.#readers()) rows.push(this.#row(reader));
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
    for (const reader of this.#readers()) {
      if (reader.error === 0) {
        for (let i = 0; i < arrays.length; i++) {
          const value = (decoders[i] as (typeof decoders)[number])(reader);
          if (value !== undefined) (arrays[i] as Float64Array)[row] = value;
        }
      }
      row++;
    }
    return Object.fromEntries(fields.map((field, i) => [field, arrays[i]])) as Record<F, Float64Array>;
  }

  /** The rows as they are now, with ways through them: by pid, by parent, as a tree. */
  snapshot(): ProcessSnapshot {
    return new ProcessSnapshot(this.toArray());
  }
}
