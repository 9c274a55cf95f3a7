/** Checks of arguments that no kernel needs to be asked about. */

import { ArgumentError } from '../errors.ts';
import { EINVAL } from '../sys/errno.ts';

const INT32_MAX = 0x7fff_ffff;

/** A pid_t. Negative ones are well-formed: no process has them, so that they end in ESRCH. */
export function checkPid(pid: number, syscall: string): void {
  if (typeof pid !== 'number' || (pid | 0) !== pid)
    throw new ArgumentError(EINVAL, syscall, `pid must be a 32-bit integer, not ${show(pid)}`);
}

/** A first descriptor or pid: 0 to 2^31 - 1. */
export function checkStart(start: number, syscall: string): void {
  if (typeof start !== 'number' || (start | 0) !== start || start < 0) {
    throw new ArgumentError(
      EINVAL,
      syscall,
      `start must be an integer from 0 to ${INT32_MAX}, not ${show(start)}`,
    );
  }
}

/** How many numbers are wanted at the most. */
export function checkCount(count: number, syscall: string, what = 'count'): void {
  if (
    typeof count !== 'number' ||
    !(count >= 0) ||
    (count !== Number.POSITIVE_INFINITY && !Number.isInteger(count))
  ) {
    throw new ArgumentError(
      EINVAL,
      syscall,
      `${what} must be a whole number or Infinity, not ${show(count)}`,
    );
  }
}

export function checkOneOf<T extends string>(
  value: string,
  allowed: readonly T[],
  what: string,
  syscall: string,
): T {
  if (!(allowed as readonly string[]).includes(value)) {
    throw new ArgumentError(
      EINVAL,
      syscall,
      `${what} must be one of ${allowed.join(', ')}, not ${show(value)}`,
    );
  }
  return value as T;
}

export function checkTarget(target: Int32Array, syscall: string): void {
  if (!(target instanceof Int32Array))
    throw new ArgumentError(EINVAL, syscall, 'target must be an Int32Array');
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
