/** exec(): this process becomes another program, as under env(1), with only the wanted descriptors. */

import { readFileSync } from 'node:fs';
import type { Backend } from '../backends/backend.ts';
import { ArgumentError, SystemError } from '../errors.ts';
import { FD_CLOEXEC, getDescriptorFlags, setDescriptorFlags } from '../sys/calls.ts';
import type { Door } from '../sys/door.ts';
import { EACCES, EBADF, EINVAL, ENODEV, ENOENT, ENOEXEC, ENOTDIR, ESTALE, ETIMEDOUT } from '../sys/errno.ts';
import { OwnDescriptors } from '../sys/own.ts';
import { defaultSignals, execve, limitsOf, setLimits } from '../sys/process.ts';
import { checkStart } from './arguments.ts';
import { requireDoor } from './door.ts';
import { fdmap } from './fdmap.ts';
import { restoreStreams, runtimeAmong } from './runtime.ts';

export interface ExecOptions {
  /** The first descriptor that the program does not get. Default 3. */
  readonly closefrom?: number | undefined;
  /** Descriptors from there on that it gets all the same. Each must be open. */
  readonly keep?: Iterable<number> | undefined;
  /** Its soft RLIMIT_NOFILE. Default: that of the parent process, as Node has raised our own. */
  readonly nofile?: number | undefined;
  /** Its environment. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Called before, with what it does not get: the runtime's own descriptors are not among it. */
  readonly report?: ((closed: readonly ClosedDescriptor[]) => void) | undefined;
}

/** A descriptor that ends with an exec. */
export interface ClosedDescriptor {
  readonly fd: number;
  /** As in /proc/self/fd; absent without /proc. */
  readonly path?: string;
}

/** See the call of the same name in index.ts. */
export function exec(
  backend: Backend,
  command: string,
  args: readonly string[],
  options: ExecOptions,
): never {
  const door = requireDoor('exec');
  for (const word of [command, ...args]) checkWord(word);
  if (command === '') throw new SystemError(-ENOENT, 'execve', { path: command });
  const { wanted, closed } = plan(backend, door, options);
  const env = environment(options.env ?? process.env, wanted);
  const argv = [Buffer.from(command), ...bytesOf(args)];
  const limits = limitFor(door, options.nofile);
  options.report?.(closed.map((fd) => described(door, fd)));

  const undo = [leaveOnly(backend, door, wanted), defaultSignals(door)];
  restoreStreams(door);
  if (limits) {
    const result = setLimits(door, limits.wanted);
    undo.push(() => setLimits(door, limits.before));
    if (result < 0) {
      for (const step of undo) step();
      throw new SystemError(result, 'setrlimit');
    }
  }
  const { errno, path } = search(door, command, argv, env, options.env ?? process.env);
  // Still here: as if nothing had been tried.
  for (const step of undo) step();
  throw new SystemError(errno, 'execve', { path });
}

function checkWord(word: unknown): void {
  if (typeof word !== 'string' || word.includes('\0')) {
    throw new ArgumentError(EINVAL, 'execve', 'a command and its arguments are strings without a NUL');
  }
}

/** Which descriptors go on, and which of the others are not the runtime's. */
function plan(backend: Backend, door: Door, options: ExecOptions): { wanted: number[]; closed: number[] } {
  const { closefrom = 3 } = options;
  checkStart(closefrom, 'exec');
  const open = fdmap(backend, 0, {});
  const { all: runtime, doubtful } = runtimeAmong(backend, door, open);
  const keep = new Set<number>();
  for (const fd of options.keep ?? []) {
    if ((fd | 0) !== fd || fd < 0) {
      throw new ArgumentError(EINVAL, 'exec', `keep must hold descriptor numbers, not ${String(fd)}`);
    }
    // A number that was free when we started may be the runtime's now.
    const own = runtime.has(fd) && !doubtful.has(fd) && fd !== channelNumber();
    if (!open.includes(fd) || own) {
      throw new SystemError(-EBADF, 'exec', { path: String(fd) });
    }
    keep.add(fd);
  }
  const others = [...open].filter((fd) => !runtime.has(fd) || keep.has(fd));
  const goesOn = (fd: number) => fd < closefrom || keep.has(fd);
  return { wanted: others.filter(goesOn), closed: others.filter((fd) => !goesOn(fd)) };
}

const channelNumber = (): number | undefined => (process.channel as { fd?: number } | undefined)?.fd;

function described(door: Door, fd: number): ClosedDescriptor {
  const path = new OwnDescriptors(door).link(fd);
  return typeof path === 'string' ? { fd, path } : { fd };
}

/**
 * Close-on-exec for all but `wanted`: Node sets it on what it inherits, 0, 1 and 2 included
 * (uv_disable_stdio_inheritance()). Returns what puts every flag back.
 */
function leaveOnly(backend: Backend, door: Door, wanted: readonly number[]): () => void {
  const goesOn = new Set(wanted);
  const changed: [fd: number, flags: number][] = [];
  for (const fd of fdmap(backend, 0, {})) {
    const flags = getDescriptorFlags(door, fd);
    const should = goesOn.has(fd) ? 0 : FD_CLOEXEC;
    if (flags < 0 || flags === should) continue;
    setDescriptorFlags(door, fd, should);
    changed.push([fd, flags]);
  }
  return () => {
    for (const [fd, flags] of changed) setDescriptorFlags(door, fd, flags);
  };
}

/**
 * Node raises the soft limit to the hard one before any JavaScript runs, and keeps no record.
 * What the parent has is what env(1) would have, unless the limit was set in between.
 */
function limitFor(door: Door, nofile: number | undefined) {
  const before = limitsOf(door, 0);
  if (typeof before === 'number') throw new SystemError(before, 'prlimit');
  if (nofile !== undefined) {
    if (!Number.isSafeInteger(nofile) || nofile < 0) {
      throw new ArgumentError(EINVAL, 'exec', `nofile must be a whole number, not ${String(nofile)}`);
    }
    return { before, wanted: { soft: BigInt(nofile), hard: before.hard } };
  }
  const parent = limitsOf(door, process.ppid);
  // Lower than ours, where Node had something to raise; a parent of another user's is not asked.
  if (typeof parent === 'number' || before.soft !== before.hard || parent.soft >= before.soft)
    return undefined;
  return { before, wanted: { soft: parent.soft, hard: before.hard } };
}

/** Bytes as the kernel gave them, where they are no UTF-8 and the text has lost them. */
function bytesOf(args: readonly string[]): Buffer[] {
  const raw = rawWords('/proc/self/cmdline').slice(-args.length || Number.POSITIVE_INFINITY);
  return args.map((word, i) => {
    const bytes = raw[i];
    return bytes && bytes.toString() === word ? bytes : Buffer.from(word);
  });
}

/** The words of a file of /proc that holds NUL-terminated ones; none without /proc. */
function rawWords(path: string): Buffer[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return []; // text in the place of bytes is all there is then
  }
  const words: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    words.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
  }
  return words;
}

/** Node takes the channel of process.send() out of the environment; who keeps it gets it back. */
const CHANNEL = /^NODE_CHANNEL_/;

function environment(env: Readonly<Record<string, string | undefined>>, wanted: readonly number[]): Buffer[] {
  const first = new Map(rawWords('/proc/self/environ').map((bytes) => [bytes.toString(), bytes]));
  const words: Buffer[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || CHANNEL.test(name)) continue;
    const word = `${name}=${value}`;
    if (word.includes('\0')) throw new ArgumentError(EINVAL, 'execve', 'the environment holds a NUL');
    words.push(first.get(word) ?? Buffer.from(word));
  }
  const channel = channelNumber();
  if (channel !== undefined && wanted.includes(channel)) {
    words.push(Buffer.from(`NODE_CHANNEL_FD=${channel}`));
    for (const [text, bytes] of first)
      if (text.startsWith('NODE_CHANNEL_SERIALIZATION_MODE=')) words.push(bytes);
  }
  return words;
}

/** Where nothing else is said: confstr(_CS_PATH) of glibc. */
const DEFAULT_PATH = '/bin:/usr/bin';
/** execvp(3) goes on to the next directory after these. */
const NEXT = new Set([ENOENT, ENOTDIR, ESTALE, ENODEV, ETIMEDOUT, EACCES]);

/** As execvp(3): along PATH where there is no slash in the name; EACCES is remembered. */
function search(
  door: Door,
  command: string,
  argv: readonly Buffer[],
  envp: readonly Buffer[],
  env: Readonly<Record<string, string | undefined>>,
): { errno: number; path: string } {
  const directories = command.includes('/') ? undefined : (env.PATH ?? DEFAULT_PATH).split(':');
  if (!directories) return { errno: execOrScript(door, command, argv, envp), path: command };
  let denied: string | undefined;
  for (const directory of directories) {
    const path = `${directory || '.'}/${command}`;
    const errno = execOrScript(door, path, argv, envp);
    if (!NEXT.has(-errno)) return { errno, path };
    if (errno === -EACCES) denied ??= path;
  }
  return denied === undefined ? { errno: -ENOENT, path: command } : { errno: -EACCES, path: denied };
}

/** A file that the kernel knows no format of is a script of the shell's. */
function execOrScript(door: Door, path: string, argv: readonly Buffer[], envp: readonly Buffer[]): number {
  const result = execve(door, Buffer.from(path), argv, envp);
  if (result !== -ENOEXEC) return result;
  const shell = Buffer.from('/bin/sh');
  return execve(door, shell, [shell, Buffer.from(path), ...argv.slice(1)], envp);
}
