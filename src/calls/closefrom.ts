import type { Backend } from '../backends/backend.ts';
import { ArgumentError, SystemError } from '../errors.ts';
import {
  CLOSE_RANGE_CLOEXEC,
  close,
  closeRange,
  FD_CLOEXEC,
  getDescriptorFlags,
  setDescriptorFlags,
} from '../sys/calls.ts';
import type { Door } from '../sys/door.ts';
import { EINVAL, ENOSYS, EPERM } from '../sys/errno.ts';
import { checkStart } from './arguments.ts';
import { requireDoor } from './door.ts';
import { fdmap } from './fdmap.ts';
import { runtimeAmong } from './runtime.ts';

export interface ClosefromOptions {
  /** Descriptors to leave as they are, flags and all. Numbers that are not open are ignored. */
  readonly keep?: Iterable<number> | undefined;
  /**
   * Set close-on-exec instead of closing: nothing leaks into a child, and nothing that is in use here
   * breaks. This is what a running program wants. Default false.
   */
  readonly cloexec?: boolean | undefined;
  /**
   * Close what the JavaScript runtime lives on as well. Nothing but a blocking call, exec or exit works
   * afterwards, and no handle of this package. Default false.
   */
  readonly force?: boolean | undefined;
}

/** The largest descriptor that close_range(2) can be told: its numbers are unsigned. */
const LAST = 0xffff_ffff;

/**
 * See the call of the same name in index.ts.
 *
 * @param backend asked for only where the numbers are needed: close_range(2) needs none
 */
export function closefrom(
  backend: () => Backend,
  n: number,
  options: ClosefromOptions,
  door = requireDoor('closefrom'),
): void {
  checkStart(n, 'closefrom');
  const { cloexec = false, force = false } = options;
  const keep = keptOf(options.keep ?? [], n);
  if (cloexec || force) {
    const flags = cloexec ? CLOSE_RANGE_CLOEXEC : 0;
    if (gapsBetween(keep, n).every(([first, last]) => tryCloseRange(door, first, last, flags))) return;
  }
  // With close_range: runs of numbers that are known. Another thread may open one in a gap meanwhile.
  // What is opened behind this list is not closed, whoever opens it.
  const listed = fdmap(backend(), 0, { start: n });
  const left = cloexec || force ? new Set<number>() : runtimeOf(backend(), door);
  for (const fd of keep) left.add(fd);
  const runs = runsOf(listed, left);
  if (cloexec) for (const run of runs) for (const fd of run) setDescriptorFlags(door, fd, FD_CLOEXEC);
  else closeAll(door, runs);
}

/** Consecutive numbers of `listed`, ascending, without those that are `left`. */
function runsOf(listed: Int32Array, left: ReadonlySet<number>): Int32Array[] {
  const runs: Int32Array[] = [];
  const borders = [...left].sort((a, b) => a - b);
  let border = 0;
  for (let i = 0; i < listed.length; ) {
    const start = i;
    const first = listed[i] as number;
    while (borders[border]! < first) border++;
    // A border that is not there ends nothing: no number is equal to it.
    const end = borders[border];
    while (i < listed.length && listed[i] === first + i - start && listed[i] !== end) i++;
    if (i > start) runs.push(listed.subarray(start, i));
    else i++;
  }
  return runs;
}

const runtimeOf = (backend: Backend, door: Door) => runtimeAmong(backend, door, fdmap(backend, 0, {})).all;

/** @throws ArgumentError for what is no descriptor number */
function keptOf(keep: Iterable<number>, n: number): number[] {
  const kept = new Set<number>();
  for (const fd of keep) {
    if ((fd | 0) !== fd || fd < 0) {
      throw new ArgumentError(EINVAL, 'closefrom', `keep must hold descriptor numbers, not ${String(fd)}`);
    }
    if (fd >= n) kept.add(fd);
  }
  return [...kept].sort((a, b) => a - b);
}

/** Ranges of numbers from `n` on that hold none of `keep`. */
function gapsBetween(keep: readonly number[], n: number): [first: number, last: number][] {
  const gaps: [number, number][] = [];
  let first = n;
  for (const fd of keep) {
    if (fd > first) gaps.push([first, fd - 1]);
    first = fd + 1;
  }
  gaps.push([first, LAST]);
  return gaps;
}

/**
 * False where the kernel has no close_range(2) (5.9), or not this flag (5.11), or a
 * seccomp filter does not know it: container runtimes refuse unknown calls with EPERM.
 */
function tryCloseRange(door: Door, first: number, last: number, flags: number): boolean {
  const result = closeRange(door, first, last, flags);
  if (result === 0) return true;
  if (result === -ENOSYS || result === -EPERM || (result === -EINVAL && flags !== 0)) return false;
  throw new SystemError(result, 'close_range');
}

/** Closes each run by one call. close(2) frees the number whatever it returns. */
function closeAll(door: Door, runs: readonly Int32Array[]): void {
  let usable = true;
  for (const run of runs) {
    if (run.length > 1 && usable) usable = tryCloseRange(door, run[0]!, run.at(-1)!, 0);
    if (run.length === 1 || !usable) for (const fd of run) close(door, fd);
  }
}

/** See the call of the same name in index.ts. */
export function inherited(backend: Backend, door = requireDoor('inherited')): Int32Array {
  return fdmap(backend, 0, {}).filter((fd) => getDescriptorFlags(door, fd) === 0);
}
