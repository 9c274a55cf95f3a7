import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import type { Backend } from '../../backends/backend.ts';
import type { FdinfoQuestion } from '../../backends/fdinfo.ts';
import { SystemError } from '../../errors.ts';
import { EACCES } from '../../sys/errno.ts';
import { joinEndpoints } from './endpoints.ts';
import { filterOf, questionOf } from './filter.ts';
import { DescriptorList, type FailedProcess, failedProcesses, RowReader } from './list.ts';
import { checkPids, type FdinfoOptions, wantedOf } from './options.ts';

/** @throws SystemError for what fails as a whole */
export function* chunksOf(backend: Backend, question: FdinfoQuestion) {
  const stream = backend.fdinfo(question);
  if (typeof stream === 'number') throw new SystemError(stream, 'fdinfo', { pid: question.pid });
  try {
    for (;;) {
      const chunk = stream.next();
      if (typeof chunk !== 'number') yield chunk;
      else if (chunk === 0) return;
      else throw new SystemError(chunk, 'fdinfo', { pid: question.pid });
    }
  } finally {
    stream.close();
  }
}

function readAll(backend: Backend, question: FdinfoQuestion, reader: RowReader): Descriptor[] {
  let all: Descriptor[] | undefined;
  for (const chunk of chunksOf(backend, question)) {
    const rows = reader.rows(chunk);
    if (!all) all = rows;
    else for (const row of rows) all.push(row);
  }
  return all ?? [];
}

/** Why a process that was named has no row: 0 when it has no descriptor that matches. */
function verdictOf(backend: Backend, pid: number, hidden: boolean): number {
  if (hidden) return -EACCES;
  const found = backend.fdmap(pid, 0, new Int32Array(1), 0);
  return Math.min(found, 0);
}

interface Progress {
  readonly hidden: number;
  readonly failures: number;
}

const progressOf = ({ hidden, failed }: RowReader): Progress => ({ hidden, failures: failed.length });

/** A process that was named and has no row: what has come to `reader` since, or else what it is asked for now. */
function explain(backend: Backend, pid: number, reader: RowReader, before: Progress): void {
  if (reader.failed.length > before.failures) return;
  const errno = verdictOf(backend, pid, reader.hidden > before.hidden);
  if (errno < 0) reader.fail(pid, errno);
}

/** See the call of the same name in index.ts. */
export function fdinfo(
  backend: Backend,
  target: number | readonly number[] | undefined,
  options: FdinfoOptions,
): DescriptorList {
  const recorded = backend.recorded !== undefined;
  const wanted = wantedOf(options, recorded);
  const pids = checkPids(target, recorded ? 0 : process.pid);
  const reader = new RowReader(filterOf(wanted));
  if (wanted.endpoints) return withEndpoints(backend, target, options);
  if (!pids) {
    const rows = readAll(backend, questionOf(wanted, undefined), reader);
    return new DescriptorList(rows, reader.hidden, reader.vanished, reader.failed);
  }
  const rows: Descriptor[] = [];
  for (const pid of pids) {
    const before = progressOf(reader);
    const own = readAll(backend, questionOf(wanted, pid), reader);
    for (const row of own) rows.push(row);
    if (own.length === 0) explain(backend, pid, reader, before);
  }
  const [first] = reader.failed;
  if (typeof target === 'number' && first) throw new SystemError(first.errno, 'fdinfo', { pid: target });
  return new DescriptorList(rows, 0, reader.vanished, reader.failed);
}

/** The rows that were asked for, with their other ends, which may be anybody's. */
function withEndpoints(
  backend: Backend,
  target: number | readonly number[] | undefined,
  options: FdinfoOptions,
): DescriptorList {
  const list = fdinfo(backend, target, { ...options, endpoints: false });
  const all = fdinfo(backend, undefined, { stat: options.stat });
  joinEndpoints(list.toArray(), all.toArray());
  return list;
}

/** What a stream could not tell, known at its end: the return value of the generator. */
export interface FdinfoStreamEnd {
  /** Processes whose descriptors the caller may not see. */
  readonly hidden: number;
  /** Processes that were named and are gone; in the proc backend also those that went meanwhile. */
  readonly vanished: number;
  /** Processes that were named and could not be read. */
  readonly errors: readonly FailedProcess[];
}

export interface FdinfoStreamOptions extends Omit<FdinfoOptions, 'endpoints'> {
  /** These processes or threads; 0 is the caller. Default: every process. */
  readonly pid?: number | readonly number[] | undefined;
  /** Ends the stream with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** See the call of the same name in index.ts. */
export async function* fdinfoStream(
  backend: Backend,
  options: FdinfoStreamOptions,
): AsyncGenerator<Descriptor[], FdinfoStreamEnd> {
  const { signal } = options;
  const recorded = backend.recorded !== undefined;
  const wanted = wantedOf(options, recorded);
  const pids = checkPids(options.pid, recorded ? 0 : process.pid);
  const reader = new RowReader(filterOf(wanted));
  signal?.throwIfAborted();
  for (const pid of pids ?? [undefined]) {
    const before = progressOf(reader);
    let found = false;
    for (const chunk of chunksOf(backend, questionOf(wanted, pid))) {
      const rows = reader.rows(chunk);
      found ||= rows.length > 0;
      if (rows.length > 0) yield rows;
      await nextTurn();
      signal?.throwIfAborted();
    }
    if (pid !== undefined && !found) explain(backend, pid, reader, before);
  }
  const [first] = reader.failed;
  if (typeof options.pid === 'number' && first)
    throw new SystemError(first.errno, 'fdinfo', { pid: options.pid });
  const { hidden, vanished, failed } = reader;
  return { hidden: pids ? 0 : hidden, vanished, errors: failedProcesses(failed) };
}
