import { RecordReader } from '../abi/attributes.ts';
import { FDMAP_KIND_PROCESS, PIDINFO_RECORD_PID, SIZEOF_PIDINFO_RECORD } from '../abi/layout.gen.ts';
import { DECODERS, type ProcessValues } from '../abi/pidinfo/decode.ts';
import type { ProcessField } from '../abi/pidinfo/fields.ts';
import type { Records } from '../backends/backend.ts';
import { DecodeError } from '../errors.ts';
import { ESRCH, errnoName } from '../sys/errno.ts';

/** Why a process that was named could not be read. */
export interface ReadError {
  /** `'ESRCH'`, `'EACCES'`, … */
  readonly code: string;
  readonly syscall: string;
}

/** One process, or one thread. A member that is absent is not known, or was not asked for. */
export interface Process extends Readonly<ProcessValues> {
  readonly pid: number;
  /** Only in rows of processes that were named and could not be read. */
  readonly error?: ReadError;
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
  readonly #records: Records;
  readonly #named: boolean;

  /** @internal */
  constructor(records: Records, fields: readonly ProcessField[], named: boolean) {
    this.fields = fields;
    this.#records = records;
    this.#named = named;
    let length = 0;
    let vanished = 0;
    let firstError = 0;
    for (const reader of this.#readers()) {
      if (length++ === 0) firstError = reader.error;
      if (reader.error === -ESRCH) vanished++;
    }
    this.length = length;
    this.vanished = vanished;
    this.firstError = firstError;
  }

  /** A reader at each record in turn. */
  *#readers(): Generator<RecordReader> {
    for (const piece of this.#records) {
      const reader = new RecordReader(piece);
      while (reader.next()) {
        if (reader.kind !== FDMAP_KIND_PROCESS) continue;
        if (reader.fixed < SIZEOF_PIDINFO_RECORD)
          throw new DecodeError(`a process with a fixed part of ${reader.fixed} bytes`, reader.at);
        // One of all that has gone before it was read is none.
        if (reader.error === 0 || this.#named) yield reader;
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
      const value = DECODERS[field](reader);
      if (value !== undefined) row[field] = value;
    }
    return row as unknown as Process;
  }

  *[Symbol.iterator](): Generator<Process, undefined> {
    for (const reader of this.#readers()) yield this.#row(reader);
  }

  toArray(): Process[] {
    return [...this];
  }
}
