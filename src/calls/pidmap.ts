import type { Backend, PidmapMode, PidmapQuestion } from '../backends/backend.ts';
import { SystemError } from '../errors.ts';
import { checkCount, checkOneOf, checkPid, checkStart, checkTarget } from './arguments.ts';
import { collect } from './pool.ts';

const MODES: readonly PidmapMode[] = ['processes', 'tasks', 'children', 'threads'];

export interface PidmapIntoOptions {
  /**
   * - `processes` (default): every process
   * - `tasks`: every thread of every process
   * - `children`: processes whose parent is `pid`, whichever of its threads forked them
   * - `threads`: threads of the process that `pid` is or belongs to
   */
  readonly mode?: PidmapMode | undefined;
  /** For `children` and `threads`; 0, the default, is the caller. */
  readonly pid?: number | undefined;
  /** Smallest number wanted, inclusive; to go on, the last one + 1. Default 0. */
  readonly start?: number | undefined;
  /** Kernel threads too? Default true. */
  readonly kthreads?: boolean | undefined;
}

export interface PidmapOptions extends PidmapIntoOptions {
  /** The most numbers wanted. Default: all. */
  readonly count?: number | undefined;
}

function question(options: PidmapIntoOptions): PidmapQuestion {
  const { mode = 'processes', pid = 0, start = 0, kthreads = true } = options;
  checkOneOf(mode, MODES, 'mode', 'pidmap');
  checkStart(start, 'pidmap');
  checkPid(pid, 'pidmap');
  return { mode, pid, start, kthreads };
}

function ask(backend: Backend, q: PidmapQuestion, target: Int32Array, at: number): number {
  const end = backend.pidmap(q, target, at);
  if (end < 0) {
    const named = q.mode === 'children' || q.mode === 'threads';
    throw new SystemError(end, 'pidmap', named ? { pid: q.pid } : {});
  }
  return end;
}

/** pidmap(2) into the caller's array: see the call of the same name in index.ts. */
export function pidmapInto(backend: Backend, target: Int32Array, options: PidmapIntoOptions): number {
  checkTarget(target, 'pidmap');
  const q = question(options);
  return ask(backend, q, target, 0);
}

export function pidmap(backend: Backend, options: PidmapOptions): Int32Array {
  const { count = Number.POSITIVE_INFINITY } = options;
  const q = question(options);
  checkCount(count, 'pidmap');
  return collect(count, q.start, (target, at, cursor) => ask(backend, { ...q, start: cursor }, target, at));
}
