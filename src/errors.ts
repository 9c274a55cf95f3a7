/** Errors as Node's own: users switch on `code`, and read `errno`, `syscall`, `path` and `pid`. */

import { errnoName, errnoText } from './sys/errno.ts';

/** A question as a whole failed: the kernel, or a file of /proc, said no. */
export class SystemError extends Error {
  /** Negative, as in Node's own errors. */
  readonly errno: number;
  /** `'ESRCH'`, `'EACCES'`, … */
  readonly code: string;
  /** Which call failed: `fdmap`, `pidmap`, `bpf`, `open`, … */
  readonly syscall: string;
  // declared: an own property only where there is one
  declare readonly pid?: number;
  declare readonly path?: string;

  constructor(
    errno: number,
    syscall: string,
    about: { pid?: number | undefined; path?: string | undefined } = {},
  ) {
    const code = errnoName(errno);
    const subject =
      about.path !== undefined ? ` '${about.path}'` : about.pid !== undefined ? ` ${about.pid}` : '';
    super(`${code}: ${errnoText(errno)}, ${syscall}${subject}`);
    this.name = 'Error';
    this.errno = -Math.abs(errno);
    this.code = code;
    this.syscall = syscall;
    if (about.pid !== undefined) this.pid = about.pid;
    if (about.path !== undefined) this.path = about.path;
  }
}

export type FdmapErrorCode =
  | 'ERR_FDMAP_ABI'
  | 'ERR_FDMAP_BACKEND_UNAVAILABLE'
  | 'ERR_FDMAP_BUSY'
  | 'ERR_FDMAP_CLOSED'
  | 'ERR_FDMAP_DECODE'
  | 'ERR_FDMAP_LOAD'
  | 'ERR_FDMAP_NOT_INSTALLED'
  | 'ERR_FDMAP_UNSAFE_DIRECTORY'
  | 'ERR_FDMAP_UNSUPPORTED';

/** An error of this package rather than of the kernel; `cause` holds what led to it. */
export class FdmapError extends Error {
  readonly code: FdmapErrorCode;

  constructor(code: FdmapErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FdmapError';
    this.code = code;
  }
}

/** Bytes that are not what they should be: a damaged image, or records of something else. */
export class DecodeError extends FdmapError {
  /** Where in the bytes, from their beginning. */
  readonly offset: number;
  readonly #what: string;

  constructor(message: string, offset: number) {
    super('ERR_FDMAP_DECODE', `${message} at byte ${offset}`);
    this.name = 'DecodeError';
    this.offset = offset;
    this.#what = message;
  }

  /** @internal the same, where the bytes begin at `base` of a file */
  moved(base: number): DecodeError {
    return new DecodeError(this.#what, base + this.offset);
  }
}

/** An argument that no kernel needs to be asked about. */
export class ArgumentError extends RangeError {
  readonly errno: number;
  readonly code = 'EINVAL';
  readonly syscall: string;

  constructor(errno: number, syscall: string, message: string) {
    super(`EINVAL: ${message}, ${syscall}`);
    this.errno = -Math.abs(errno);
    this.syscall = syscall;
  }
}
