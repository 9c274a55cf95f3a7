import { type Descriptor, decodeChunk } from '../../abi/fdinfo/decode.ts';
import type { Chunk } from '../../abi/fdinfo/record.ts';
import * as abi from '../../abi/layout.gen.ts';
import { ESRCH, errnoName } from '../../sys/errno.ts';
import type { ReadError } from '../process-list.ts';

/** A process that was named and could not be read. */
export interface FailedProcess {
  readonly pid: number;
  readonly error: ReadError;
}

/**
 * Rows out of chunks, each once: the kernel shows the table of a process whose
 * first thread has exited once for each thread that is left.
 */
export class RowReader {
  hidden = 0;
  vanished = 0;
  readonly failed: { pid: number; errno: number }[] = [];
  readonly #filter: ((row: Descriptor) => boolean) | undefined;
  readonly #tables = new Map<string, number>();

  constructor(filter: ((row: Descriptor) => boolean) | undefined) {
    this.#filter = filter;
  }

  rows(chunk: Chunk): Descriptor[] {
    const rows: Descriptor[] = [];
    decodeChunk(chunk, rows, {
      hidden: () => this.hidden++,
      failed: (pid, errno) => this.fail(pid, errno),
    });
    let kept = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as Descriptor;
      if ((row.tid !== row.pid && this.#isRepeated(row)) || (this.#filter && !this.#filter(row))) continue;
      rows[kept++] = row;
    }
    rows.length = kept;
    return rows;
  }

  /** A process that was named has no rows. */
  fail(pid: number, errno: number): void {
    if (errno === -ESRCH) this.vanished++;
    this.failed.push({ pid, errno });
  }

  #isRepeated(row: Descriptor): boolean {
    if (!row.has(abi.FDINFO_HAS_TABLE)) return false;
    const table = `${row.pid} ${row.chunk.hex(row.at + abi.FDINFO_RECORD_TABLE)}`;
    const first = this.#tables.get(table);
    if (first === undefined) this.#tables.set(table, row.tid);
    return first !== undefined && first !== row.tid;
  }
}

/** As whoever asked is told of them. */
export const failedProcesses = (failed: readonly { pid: number; errno: number }[]): FailedProcess[] =>
  failed.map(({ pid, errno }) => ({ pid, error: { code: errnoName(errno), syscall: 'fdinfo' } }));

/** What fdinfo() answers with: rows that are decoded member by member when they are read. */
export class DescriptorList implements Iterable<Descriptor> {
  /** Processes whose descriptors the caller may not see. */
  readonly hidden: number;
  /** Processes that the caller named and that are gone; in the proc backend also those that went meanwhile. */
  readonly vanished: number;
  /** Processes that the caller named and that could not be read. */
  readonly errors: readonly FailedProcess[];
  readonly #rows: readonly Descriptor[];

  /** @internal */
  constructor(
    rows: readonly Descriptor[],
    hidden: number,
    vanished: number,
    failed: readonly { pid: number; errno: number }[],
  ) {
    this.#rows = rows;
    this.hidden = hidden;
    this.vanished = vanished;
    this.errors = failedProcesses(failed);
  }

  get length(): number {
    return this.#rows.length;
  }

  [Symbol.iterator](): IterableIterator<Descriptor> {
    return this.#rows[Symbol.iterator]() as IterableIterator<Descriptor>;
  }

  toArray(): Descriptor[] {
    return [...this.#rows];
  }

  /** What JSON.stringify() takes: every member of every row that is known, large numbers as text. */
  toJSON(): Record<string, unknown>[] {
    return this.#rows.map((row) => row.toJSON());
  }
}
