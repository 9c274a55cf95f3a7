import { constants } from 'node:fs';
import { ArgumentError, FdmapError, SystemError } from '../errors.ts';
import { close } from '../sys/calls.ts';
import { EINVAL, ENOENT, ESRCH } from '../sys/errno.ts';
import { nativeDoor } from '../sys/ffi.ts';
import { FileReader } from '../sys/reader.ts';
import { checkCount, checkPid } from './arguments.ts';
import { requireDoor } from './door.ts';

/** openat(2): relative to the current directory */
const AT_FDCWD = -100;
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
/** What changes a file, and what cannot be read from. */
const REFUSED = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_PATH;

export type FilePath = string | Uint8Array;

export interface ReadOptions {
  /** O_* flags of open(2) besides O_RDONLY, O_CLOEXEC and O_NOCTTY: O_NOFOLLOW, O_NONBLOCK, O_NOATIME, … */
  readonly flags?: number | undefined;
  /** The most bytes wanted, from the beginning of the file. Default: all. */
  readonly maxBytes?: number | undefined;
}

export interface ReadFilesOptions extends ReadOptions {
  /** Where relative paths begin. Default: the current directory. */
  readonly directory?: Directory | undefined;
}

/** One of a batch: either `data` or `error`. */
export interface FileRead {
  readonly path: FilePath;
  readonly data?: Buffer;
  readonly error?: SystemError;
}

/** A descriptor of a directory, its path, or a process's directory. */
export type Directory = number | string | ProcessDirectory;

let reader: FileReader | undefined;

/** Made with the first file, so that programs that read none pay nothing. */
function theReader(): FileReader {
  reader ??= new FileReader(requireDoor('readfileat'));
  return reader;
}

/** What a call of this file was given, checked. */
export interface Question {
  readonly descriptor: number;
  /** Before a relative path, with its slash. */
  readonly prefix: string;
  readonly flags: number;
  readonly max: number;
  readonly process: ProcessDirectory | undefined;
}

export function question(directory: Directory, options: ReadOptions): Question {
  const { flags = 0, maxBytes: max = Number.POSITIVE_INFINITY } = options;
  if ((flags | 0) !== flags || (flags & REFUSED) !== 0) {
    throw new ArgumentError(EINVAL, 'readfileat', 'flags must be those of open(2) that only read');
  }
  checkCount(max, 'readfileat', 'maxBytes');
  const about = { prefix: '', flags, max, process: undefined };
  if (directory instanceof ProcessDirectory)
    return { ...about, descriptor: directory.fd, process: directory };
  if (typeof directory === 'string') {
    checkPath(directory);
    return { ...about, descriptor: AT_FDCWD, prefix: directory === '' ? '' : `${directory}/` };
  }
  if ((directory | 0) !== directory || directory < 0) {
    throw new ArgumentError(
      EINVAL,
      'readfileat',
      'a directory is a descriptor, a path or a ProcessDirectory',
    );
  }
  return { descriptor: directory, prefix: '', flags, max, process: undefined };
}

function checkPath(path: unknown): asserts path is FilePath {
  const valid =
    typeof path === 'string' ? !path.includes('\0') : path instanceof Uint8Array && !path.includes(0);
  if (!valid) throw new ArgumentError(EINVAL, 'readfileat', 'a path is a string or bytes without a NUL');
}

const SLASH = 0x2f;
const isAbsolute = (path: FilePath) => (typeof path === 'string' ? path.charCodeAt(0) : path[0]) === SLASH;

/** The path that the kernel is given. */
export function resolved({ prefix, process }: Question, path: FilePath): FilePath {
  checkPath(path);
  if (process) checkBeneath(path);
  if (prefix === '' || isAbsolute(path)) return path;
  return typeof path === 'string' ? prefix + path : Buffer.concat([Buffer.from(prefix), path]);
}

/** What leaves a process's directory by name can reach another process. */
function checkBeneath(path: FilePath): void {
  const text = typeof path === 'string' ? path : Buffer.from(path).toString('latin1');
  if (isAbsolute(path) || /(^|\/)\.\.(\/|$)/.test(text)) {
    throw new ArgumentError(EINVAL, 'readfileat', 'a path in a process directory is relative and without ..');
  }
}

/**
 * Files of a process that are one record of seq_file (ONE() in fs/proc/base.c, and comm):
 * seq_read_iter() gives the record whole or what there is room for, so that the read(2)
 * that would find the end can be saved. Files of many records stop short before their end.
 */
const ONE_RECORD =
  '(?:stat|statm|status|comm|io|limits|cgroup|wchan|schedstat|oom_score|personality|syscall)$';
const TASK = '(?:task/[0-9]+/)?';
const IN_PROCESS = new RegExp(`^${TASK}${ONE_RECORD}`);
const IN_PROC = new RegExp(`^/proc/(?:[0-9]+|self|thread-self)/${TASK}${ONE_RECORD}`);

const isOneRecord = ({ process }: Question, name: FilePath) =>
  typeof name === 'string' && (process ? IN_PROCESS : IN_PROC).test(name);

export function failure(errno: number, syscall: string, path: FilePath, q: Question): SystemError {
  const shown = typeof path === 'string' ? path : Buffer.from(path).toString();
  const gone = q.process && errno === -ENOENT && !q.process.exists;
  return new SystemError(gone ? -ESRCH : errno, syscall, { path: shown, pid: q.process?.pid });
}

/** See the call of the same name in index.ts. */
export function readfileat(directory: Directory, path: FilePath, options: ReadOptions = {}): Buffer {
  const q = question(directory, options);
  const name = resolved(q, path);
  const files = theReader();
  const data = files.read(q.descriptor, name, q.flags, q.max, isOneRecord(q, name));
  if (typeof data === 'number') throw failure(data, files.failed, path, q);
  return data;
}

/** See the call of the same name in index.ts. */
export function readfileatInto(
  target: Uint8Array,
  directory: Directory,
  path: FilePath,
  options: ReadOptions = {},
): number {
  if (!(target instanceof Uint8Array) || !(target.buffer instanceof ArrayBuffer)) {
    throw new ArgumentError(EINVAL, 'readfileat', 'target must be a Uint8Array that is not shared');
  }
  const q = question(directory, options);
  const name = resolved(q, path);
  const room = (q.max < target.length ? target.subarray(0, q.max) : target) as Uint8Array<ArrayBuffer>;
  const files = theReader();
  const length = files.into(room, q.descriptor, name, q.flags, isOneRecord(q, name));
  if (length < 0) throw failure(length, files.failed, path, q);
  return length;
}

/** See the call of the same name in index.ts. */
export function readFilesSync(paths: Iterable<FilePath>, options: ReadFilesOptions = {}): FileRead[] {
  const q = question(options.directory ?? '', options);
  const files = theReader();
  const results: FileRead[] = [];
  const proc = new ProcDirectory(files);
  try {
    for (const path of paths) {
      const name = resolved(q, path);
      const one = isOneRecord(q, name);
      const data =
        one && !q.process && proc.isWorthwhile()
          ? files.read(proc.fd, (name as string).slice(PROC.length), q.flags, q.max, one)
          : files.read(q.descriptor, name, q.flags, q.max, one);
      if (typeof data !== 'number') results.push({ path, data });
      else results.push({ path, error: failure(data, files.failed, path, q) });
    }
  } finally {
    proc.close();
  }
  return results;
}

const PROC = '/proc/';

/** A descriptor of /proc for one batch: two names less to look up for each file. */
class ProcDirectory {
  /** From this many files on it pays. */
  static readonly #ENOUGH = 16;
  readonly #files: FileReader;
  #asked = 0;
  fd = -1;

  constructor(files: FileReader) {
    this.#files = files;
  }

  /** Where no descriptor is free for it the paths do as well. */
  isWorthwhile(): boolean {
    if (++this.#asked === ProcDirectory.#ENOUGH) {
      this.fd = this.#files.open(AT_FDCWD, PROC, O_PATH | O_DIRECTORY);
    }
    return this.fd >= 0;
  }

  close(): void {
    if (this.fd >= 0) close(requireDoor('readfileat'), this.fd);
  }
}

/**
 * The directory of one process. It stands for that process alone: when the process
 * has gone every read fails with ESRCH, whoever has its number by then
 * (proc_pid_lookup() of fs/proc/base.c holds the struct pid).
 */
export class ProcessDirectory implements Disposable {
  readonly pid: number;
  #fd: number;

  /** @internal */
  constructor(pid: number, fd: number) {
    this.pid = pid;
    this.#fd = fd;
  }

  /** A descriptor of /proc/PID, opened with O_PATH. */
  get fd(): number {
    if (this.#fd < 0) throw new FdmapError('ERR_FDMAP_CLOSED', 'this process directory is closed');
    return this.#fd;
  }

  /** Has the process not been waited for yet? A zombie still exists. One open(2) and a close(2). */
  get exists(): boolean {
    const files = theReader();
    const fd = files.open(this.fd, 'comm', O_PATH);
    if (fd < 0) return false;
    close(requireDoor('readfileat'), fd);
    return true;
  }

  /** As readfileat() with this directory. */
  read(path: FilePath, options?: ReadOptions): Buffer {
    return readfileat(this, path, options);
  }

  /** As readfileatInto() with this directory. */
  readInto(target: Uint8Array, path: FilePath, options?: ReadOptions): number {
    return readfileatInto(target, this, path, options);
  }

  /** Gives back the descriptor; a second close does nothing. */
  close(): void {
    if (this.#fd >= 0 && nativeDoor) close(nativeDoor, this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** See the call of the same name in index.ts. */
export function processDirectory(pid: number): ProcessDirectory {
  checkPid(pid, 'processDirectory');
  const number = pid === 0 ? process.pid : pid;
  const fd = number < 0 ? -ENOENT : theReader().open(AT_FDCWD, `/proc/${number}`, O_PATH | O_DIRECTORY);
  if (fd < 0) throw new SystemError(fd === -ENOENT ? -ESRCH : fd, 'open', { pid });
  return new ProcessDirectory(number, fd);
}
