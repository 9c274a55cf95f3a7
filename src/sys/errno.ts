/** errno numbers and names. Node's own table lacks some that bpf(2) and /proc return. */

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** 524 is the kernel's internal ENOTSUPP, which bpf(2) lets out. */
const MISSING: readonly (readonly [number, string, string])[] = [
  [11, 'EAGAIN', 'resource temporarily unavailable'],
  [95, 'EOPNOTSUPP', 'operation not supported'],
  [116, 'ESTALE', 'stale file handle'],
  [117, 'EUCLEAN', 'structure needs cleaning'],
  [524, 'ENOTSUPP', 'operation is not supported by the kernel'],
];

const table = new Map<number, { code: string; text: string }>();

/** Filled at the first error: building it costs more than any call. */
function errors(): typeof table {
  if (table.size === 0) {
    for (const [errno, [code, text]] of getSystemErrorMap()) table.set(-errno, { code, text });
    for (const [errno, code, text] of MISSING) table.set(errno, { code, text });
  }
  return table;
}

/** `errnoName(-3)` and `errnoName(3)` are `'ESRCH'`. */
export const errnoName = (errno: number): string =>
  errors().get(Math.abs(errno))?.code ?? `E${Math.abs(errno)}`;

export const errnoText = (errno: number): string =>
  errors().get(Math.abs(errno))?.text ?? `unknown error ${Math.abs(errno)}`;

const { EACCES, EAGAIN, EBADF, EBUSY, EINVAL, EMFILE, ENFILE, ENOENT, ENOTDIR, EOPNOTSUPP, EPERM, ESRCH } =
  constants.errno;
const { EFBIG, EINTR, EEXIST, ENAMETOOLONG, ENODEV, ENOEXEC, ENOMEM, ENOSYS, EROFS, ESTALE, ETIMEDOUT } =
  constants.errno;

export {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EFBIG,
  EINTR,
  EINVAL,
  EMFILE,
  ENAMETOOLONG,
  ENFILE,
  ENODEV,
  ENOENT,
  ENOEXEC,
  ENOMEM,
  ENOSYS,
  ENOTDIR,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  ESRCH,
  ESTALE,
  ETIMEDOUT,
};

/** The negative errno of an error that node:fs threw. */
export function errnoOf(error: unknown): number {
  const errno = (error as NodeJS.ErrnoException | undefined)?.errno;
  if (typeof errno !== 'number') throw error;
  return errno;
}

/** Did a call fail for want of a descriptor? */
export function isOutOfDescriptors(error: unknown): boolean {
  const { errno } = error as { errno?: unknown };
  return errno === -EMFILE || errno === -ENFILE;
}
