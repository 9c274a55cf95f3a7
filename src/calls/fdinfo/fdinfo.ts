import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import type { Backend } from '../../backends/backend.ts';
import type { FdinfoQuestion } from '../../backends/fdinfo.ts';
import { SystemError } from '../../errors.ts';
import { EACCES, ESRCH } from '../../sys/errno.ts';
import { joinEndpoints } from './endpoints.ts';
import { filterOf, questionOf } from './filter.ts';
import { DescriptorList, RowReader } from './list.ts';
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
    const before = reader.hidden;
    const failures = reader.failed.length;
    const own = readAll(backend, questionOf(wanted, pid), reader);
    for (const row of own) rows.push(row);
    if (own.length > 0 || reader.failed.length > failures) continue;
    const errno = verdictOf(backend, pid, reader.hidden > before);
    if (errno === 0) continue;
    if (errno === -ESRCH) reader.vanished++;
    reader.failed.push({ pid, errno });
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

export interface FdinfoStreamOptions extends Omit<FdinfoOptions, 'endpoints'> {
  /** Ends the stream with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** See the call of the same name in index.ts. */
export async function* fdinfoStream(
  backend: Backend,
  options: FdinfoStreamOptions,
): AsyncGenerator<Descriptor[], undefined> {
  const { signal } = options;
  const wanted = wantedOf(options);
  const reader = new RowReader(filterOf(wanted));
  signal?.throwIfAborted();
  for (const chunk of chunksOf(backend, questionOf(wanted, undefined))) {
    const rows = reader.rows(chunk);
    if (rows.length > 0) yield rows;
    await nextTurn();
    signal?.throwIfAborted();
  }
}
