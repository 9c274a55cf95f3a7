import type { Backend } from '../backends/backend.ts';
import { SystemError } from '../errors.ts';
import { checkCount, checkPid, checkStart, checkTarget } from './arguments.ts';
import { collect } from './pool.ts';

export interface FdmapOptions {
  /** First descriptor looked at, inclusive; to go on, the last one + 1. Default 0. */
  readonly start?: number | undefined;
  /** The most descriptors wanted. Default: all. */
  readonly count?: number | undefined;
}

export interface FdmapIntoOptions {
  /** First descriptor looked at, inclusive. Default 0. */
  readonly start?: number | undefined;
}

/** fdmap(2) into the caller's array: see the call of the same name in index.ts. */
export function fdmapInto(backend: Backend, target: Int32Array, pid: number, start: number): number {
  checkTarget(target, 'fdmap');
  checkStart(start, 'fdmap');
  checkPid(pid, 'fdmap');
  const end = backend.fdmap(pid, start, target, 0);
  if (end < 0) throw new SystemError(end, 'fdmap', { pid });
  return end;
}

export function fdmap(backend: Backend, pid: number, options: FdmapOptions): Int32Array {
  const { start = 0, count = Number.POSITIVE_INFINITY } = options;
  checkStart(start, 'fdmap');
  checkCount(count, 'fdmap');
  checkPid(pid, 'fdmap');
  return collect(count, start, (target, at, cursor) => {
    const end = backend.fdmap(pid, cursor, target, at);
    if (end < 0) throw new SystemError(end, 'fdmap', { pid });
    return end;
  });
}
