/** Files and directories of /proc, read with few crossings and numeric errors. */

import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { close, getdents64, openat } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { EACCES, ENOENT, EPERM, ESRCH, errnoOf } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import { FileReader } from '../../sys/reader.ts';
import { LINUX_DIRENT64_D_NAME, LINUX_DIRENT64_D_RECLEN } from '../../sys/uapi.gen.ts';

/** openat(2): relative to the current directory */
const AT_FDCWD = -100;
/** Directory entries of one getdents64(2): about 1,300 descriptors. */
const DIRECTORY_BYTES = 32 * 1024;
/** The files of /proc/PID that are read whole fit; a status file has about 1,500 bytes. */
const FILE_BYTES = 16 * 1024;

/** What the errno of a file below /proc/PID says about the process. */
export function errnoOfProcess(errno: number): number {
  // hidepid=1 refuses with EPERM what an access check refuses with EACCES.
  if (errno === -EPERM) return -EACCES;
  return errno === -ENOENT ? -ESRCH : errno;
}

export class ProcFiles {
  readonly #door: Door | undefined;
  readonly #directory: Memory | undefined;
  readonly #reader: FileReader | undefined;
  /** Of its own, not out of Buffer's pool: its address is asked for once. */
  readonly #file = Buffer.allocUnsafeSlow(FILE_BYTES);

  /** @param door without one, everything is read by node:fs: the same, slower */
  constructor(door: Door | undefined) {
    this.#door = door;
    this.#reader = door && new FileReader(door);
    this.#directory = door && new Memory(door, DIRECTORY_BYTES);
  }

  /**
   * The names that are numbers, in the directory's order, or a negative errno.
   * The descriptor that the listing itself needs is not among them.
   */
  numbers(path: string): number[] | number {
    return this.#door && this.#directory
      ? numbersByGetdents(this.#door, this.#directory, path)
      : numbersByNode(path);
  }

  /** A file of any length as text, or a negative errno. */
  whole(path: string): string | number {
    try {
      return readFileSync(path, 'latin1');
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** A small file as text, or a negative errno. */
  text(path: string): string | number {
    const length = this.#read(path);
    return length < 0 ? length : this.#file.toString('latin1', 0, length);
  }

  /** A file of any length, or a negative errno; short ones by one read(2). */
  bytes(path: string): Buffer | number {
    const length = this.#read(path);
    if (length < 0) return length;
    if (length < FILE_BYTES) return Buffer.from(this.#file.subarray(0, length));
    try {
      return readFileSync(path);
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** Length of what is in the buffer, or a negative errno: three system calls. */
  #read(path: string): number {
    return this.#reader ? this.#reader.into(this.#file, AT_FDCWD, path, 0, true) : this.#readByNode(path);
  }

  #readByNode(path: string): number {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY);
    } catch (error) {
      return errnoOf(error);
    }
    try {
      return readSync(fd, this.#file, 0, FILE_BYTES, null);
    } catch (error) {
      return errnoOf(error);
    } finally {
      closeSync(fd);
    }
  }
}

function numbersByGetdents(door: Door, memory: Memory, path: string): number[] | number {
  const name = Memory.string(door, path);
  const fd = openat(door, name, constants.O_RDONLY | constants.O_DIRECTORY);
  name.keep();
  if (fd < 0) return fd;
  const own = isOwnDescriptors(path) ? fd : -1;
  const numbers: number[] = [];
  try {
    for (;;) {
      const length = getdents64(door, fd, memory);
      if (length < 0) return length;
      if (length === 0) return numbers;
      appendNumbers(memory.u8, length, own, numbers);
    }
  } finally {
    close(door, fd);
  }
}

/** Names that are decimal numbers, from linux_dirent64 records. */
function appendNumbers(bytes: Uint8Array, length: number, except: number, numbers: number[]): void {
  for (let at = 0; at < length; ) {
    let number = 0;
    let i = at + LINUX_DIRENT64_D_NAME;
    let digit = (bytes[i] as number) - 48;
    while (digit >= 0 && digit <= 9) {
      number = number * 10 + digit;
      digit = (bytes[++i] as number) - 48;
    }
    // digit is that of the final NUL, and there was at least one before it
    if (digit === -48 && i > at + LINUX_DIRENT64_D_NAME && number !== except) numbers.push(number);
    at +=
      (bytes[at + LINUX_DIRENT64_D_RECLEN] as number) |
      ((bytes[at + LINUX_DIRENT64_D_RECLEN + 1] as number) << 8);
  }
}

function numbersByNode(path: string): number[] | number {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    return errnoOf(error);
  }
  const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number);
  // The listing's own descriptor was among them and is closed by now. A link is read, not followed.
  return isOwnDescriptors(path)
    ? numbers.filter((fd) => typeof linkText(`${path}/${fd}`) === 'string')
    : numbers;
}

const isOwnDescriptors = (path: string) =>
  /^\/proc\/(thread-)?self\/fd$/.test(path) || path === `/proc/${process.pid}/fd`;

/** Where a link points, or a negative errno. Never touches the file it points to. */
export function linkText(path: string): string | number {
  try {
    return readlinkSync(path);
  } catch (error) {
    return errnoOf(error);
  }
}

/** Size of a directory, or a negative errno; of /proc/PID/fd it is the number of descriptors since Linux 6.2. */
export function directorySize(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    return errnoOf(error);
  }
}
