import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { deviceName, kernelDevice } from '../../abi/fdinfo/flags.ts';
import { DESCRIPTOR_TYPES, type DescriptorType, PLACES, type PlaceName } from '../../abi/fdinfo/types.ts';
import { ArgumentError, SystemError } from '../../errors.ts';
import { EINVAL, ENOENT, errnoOf } from '../../sys/errno.ts';
import { checkOneOf, checkPid } from '../arguments.ts';

/** All that are given must match. Where a list is given, one of it must. */
export interface FdinfoOptions {
  /** Effective uid of the process. */
  readonly user?: number | readonly number[] | undefined;
  /** Name of the process: this text, or one that the expression matches. */
  readonly command?: string | RegExp | undefined;
  readonly type?: DescriptorType | readonly DescriptorType[] | undefined;
  /** Numbers; `cwd`, `root`, `exe` and `mem` ask for those places as well. */
  readonly fd?: number | PlaceName | readonly (number | PlaceName)[] | undefined;
  /** This file, under whichever name it was opened, or a unix socket that is bound to this path. */
  readonly path?: string | readonly string[] | undefined;
  /** Everything at or below this directory. */
  readonly tree?: string | undefined;
  /** Everything on the file system that this path is on. */
  readonly mount?: string | undefined;
  /** TCP, UDP, UDP-Lite: a port of either end. */
  readonly port?: number | readonly number[] | undefined;
  readonly inode?: number | readonly number[] | undefined;
  /**
   * What a class alone has (counts, targets, watches, …), and locks. Without them a row has what every
   * descriptor has, and the kernel follows no lists. `port` and `endpoints` ask for them. Default true.
   */
  readonly details?: boolean | undefined;
  /** Also where each process is, its root and its program: rows whose `fd` is `cwd`, `root`, `exe`. Default false. */
  readonly places?: boolean | undefined;
  /** Also files that are mapped: rows whose `fd` is `mem`. Default false. */
  readonly mappings?: boolean | undefined;
  /**
   * Fill in `endpoints` and `watchers`, which needs every descriptor of the machine to answer for one
   * process. Default false.
   */
  readonly endpoints?: boolean | undefined;
  /**
   * proc backend: ask stat(2) of files on every file system. It can hang for ever where a server of NFS
   * or FUSE does not answer, so that by default only local ones are asked. Default false.
   */
  readonly stat?: boolean | undefined;
}

const bad = (message: string) => new ArgumentError(EINVAL, 'fdinfo', message);

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function checkNumber(value: number, most: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw bad(`${what} must be a whole number from 0 to ${most}, not ${String(value)}`);
}

/** Device of a file system: as it is told, and in the kernel's own form. */
interface Device {
  readonly name: string;
  readonly number: number;
}

/** A file that the caller names: the one place where a file is touched, and it is the caller's. */
export interface NamedFile {
  readonly path: string;
  readonly device?: Device;
  readonly inode?: number;
  readonly socket: boolean;
}

function named(path: string, mustExist: boolean, recorded: boolean): NamedFile {
  const absolute = resolve(path);
  if (recorded) {
    if (mustExist) throw bad('an image cannot be asked for a mount: use tree, or the device of its rows');
    return { path: absolute, socket: false };
  }
  try {
    const stat = statSync(absolute);
    const number = kernelDevice(stat.dev);
    return {
      path: absolute,
      device: { name: deviceName(number), number },
      inode: stat.ino,
      socket: stat.isSocket(),
    };
  } catch (error) {
    const errno = errnoOf(error);
    // A file that was deleted may still be open: its path is all that is left of it.
    if (mustExist || errno !== -ENOENT) throw new SystemError(errno, 'stat', { path });
    return { path: absolute, socket: false };
  }
}

/** Options that were looked at, in the form that the filter needs. */
export interface Wanted {
  readonly users?: ReadonlySet<number> | undefined;
  readonly command?: string | RegExp | undefined;
  readonly types?: ReadonlySet<DescriptorType> | undefined;
  readonly fds?: ReadonlySet<number | PlaceName> | undefined;
  readonly files?: readonly NamedFile[] | undefined;
  readonly tree?: string | undefined;
  readonly device?: Device | undefined;
  readonly ports?: ReadonlySet<number> | undefined;
  readonly inodes?: ReadonlySet<number | bigint> | undefined;
  readonly details: boolean;
  readonly places: boolean;
  readonly mappings: boolean;
  readonly endpoints: boolean;
  readonly stat: boolean;
}

/**
 * @param recorded of an image: no file of this machine is looked at
 * @throws ArgumentError, SystemError (`stat` of a path that is given)
 */
export function wantedOf(options: FdinfoOptions, recorded = false): Wanted {
  const users = listOf(options.user);
  const types = listOf(options.type);
  const fds = listOf(options.fd);
  for (const user of users ?? []) checkNumber(user, 0xffff_ffff, 'user');
  for (const type of types ?? []) checkOneOf(type, DESCRIPTOR_TYPES, 'type', 'fdinfo');
  for (const fd of fds ?? []) {
    if (typeof fd === 'number') checkNumber(fd, 0x7fff_ffff, 'fd');
    else checkOneOf(fd, Object.keys(PLACES) as PlaceName[], 'fd', 'fdinfo');
  }
  const { command, tree, mount } = options;
  const paths = listOf(options.path);
  const ports = listOf(options.port);
  const inodes = listOf(options.inode);
  if (command !== undefined && typeof command !== 'string' && !(command instanceof RegExp))
    throw bad('command must be a string or a regular expression');
  for (const port of ports ?? []) checkNumber(port, 65535, 'port');
  for (const inode of inodes ?? []) checkNumber(inode, Number.MAX_SAFE_INTEGER, 'inode');
  const asks = (...names: PlaceName[]) => names.some((name) => fds?.includes(name));
  return {
    users: users && new Set(users),
    command,
    types: types && new Set(types),
    fds: fds && new Set(fds),
    files: paths?.map((path) => named(path, false, recorded)),
    tree: tree === undefined ? undefined : resolve(tree),
    device: mount === undefined ? undefined : named(mount, true, recorded).device,
    ports: ports && new Set(ports),
    inodes: inodes && new Set(inodes),
    details: options.details !== false || ports !== undefined || options.endpoints === true,
    places: options.places === true || asks('cwd', 'root', 'exe'),
    mappings: options.mappings === true || asks('mem'),
    endpoints: options.endpoints === true,
    stat: options.stat === true,
  };
}

export function checkPids(
  target: number | readonly number[] | undefined,
  caller = process.pid,
): readonly number[] | undefined {
  const pids = listOf(target);
  for (const pid of pids ?? []) checkPid(pid, 'fdinfo');
  return pids?.map((pid) => pid || caller);
}
