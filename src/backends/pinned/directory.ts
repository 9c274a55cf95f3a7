/**
 * Where the calls are pinned, and whether it is a place to be trusted. Layout
 * (docs/abi.md): `DIR/current` → `abiN-HASH`, and in that directory the programs
 * by their names, the streams as `NAME_stream`, and the manifest.
 */

import { readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as abi from '../../abi/layout.gen.ts';
import { FdmapError, SystemError } from '../../errors.ts';
import { lookupElement, pinnedGetter, valueSize } from '../../sys/bpf.ts';
import { close } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { EINVAL, ENOENT, errnoOf } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import { decodeManifest, type Manifest } from './manifest.ts';

export const DEFAULT_DIRECTORY = '/run/fdmap';
export const CURRENT = 'current';
export const MANIFEST = 'manifest';

/** include/uapi/linux/magic.h */
export const BPF_FS_MAGIC = 0xcafe4a11;
const WRITABLE_BY_OTHERS = 0o022;
/** fs.overflowuid: how the owner looks in a user namespace that has no number for him. */
const OVERFLOW_UID = 65534;

/** The directory that the caller's environment names, or the usual one. */
export const directoryOfCalls = (): string => process.env.FDMAP_BPFFS || DEFAULT_DIRECTORY;

/**
 * Refuses a directory in which somebody else than the administrator could have
 * put programs: three system calls.
 *
 * @throws FdmapError ERR_FDMAP_NOT_INSTALLED, ERR_FDMAP_UNSAFE_DIRECTORY
 */
export function checkDirectory(directory: string): void {
  const { type, uid, mode } = facts(directory);
  const refuse = (what: string) => {
    throw new FdmapError('ERR_FDMAP_UNSAFE_DIRECTORY', `${directory} ${what}`);
  };
  if (type !== BPF_FS_MAGIC) {
    throw new FdmapError(
      'ERR_FDMAP_NOT_INSTALLED',
      `${directory} is not a bpf file system: the calls are not installed there ('fdmap install')`,
    );
  }
  if (uid !== 0 && !(uid === OVERFLOW_UID && inUserNamespace()))
    refuse(`belongs to user ${uid}, not to root`);
  if (mode & WRITABLE_BY_OTHERS) refuse(`is writable by others (mode ${(mode & 0o7777).toString(8)})`);
}

function facts(directory: string): { type: number; uid: number; mode: number } {
  try {
    const { uid, mode } = statSync(directory);
    return { type: statfsSync(directory).type, uid, mode };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== -ENOENT) throw new SystemError(errno, 'statfs', { path: directory });
    throw new FdmapError(
      'ERR_FDMAP_NOT_INSTALLED',
      `there is no ${directory}: the calls are not installed ('fdmap install')`,
    );
  }
}

/** True where root of the machine has no number. Without /proc: false, which refuses. */
function inUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'));
  } catch (error) {
    errnoOf(error);
    return false;
  }
}

/** A version that is installed, complete and in use. */
export interface Version {
  /** Its directory. */
  readonly path: string;
  /** Version of the binary interface, as its name has it: known without bpf(2). */
  readonly abi: number;
}

/**
 * Where `current` points. Everything is then opened below that directory, so that
 * an upgrade in between cannot mix two versions.
 *
 * @throws FdmapError as {@link checkDirectory}, and ERR_FDMAP_ABI for another interface
 */
export function currentVersion(directory: string): Version {
  checkDirectory(directory);
  let name: string;
  try {
    name = readlinkSync(join(directory, CURRENT));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== -ENOENT) throw new SystemError(errno, 'readlink', { path: join(directory, CURRENT) });
    throw new FdmapError('ERR_FDMAP_NOT_INSTALLED', `there are no calls in ${directory} ('fdmap install')`);
  }
  const number = /^abi(\d+)-\w+$/.exec(name)?.[1];
  if (number === undefined) {
    throw new FdmapError(
      'ERR_FDMAP_UNSAFE_DIRECTORY',
      `${directory}/${CURRENT} points to ${JSON.stringify(name)}`,
    );
  }
  return { path: join(directory, name), abi: Number(number) };
}

/** @throws FdmapError ERR_FDMAP_ABI, naming both */
export function checkAbi(directory: string, installed: number): void {
  if (installed === abi.FDMAP_ABI) return;
  throw new FdmapError(
    'ERR_FDMAP_ABI',
    `the calls in ${directory} have ABI ${installed}, this library has ABI ${abi.FDMAP_ABI}: ` +
      `${installed < abi.FDMAP_ABI ? "run this version's 'fdmap install'" : 'update this library'}`,
  );
}

/** An upgrade takes the old version away some milliseconds after it has put the new one there. */
const ATTEMPTS = 5;

/**
 * Runs `action` on the version in use, and again where that was replaced under it.
 *
 * @param path the version of an earlier call: not looked up before it has gone
 * @throws FdmapError as {@link currentVersion} and {@link checkAbi}
 */
export function inVersion<T>(directory: string, action: (path: string) => T, path?: string): T {
  let known = path;
  for (let attempt = 1; ; attempt++) {
    if (known === undefined) {
      const version = currentVersion(directory);
      checkAbi(directory, version.abi);
      known = version.path;
    }
    try {
      return action(known);
    } catch (error) {
      const missing = (error as { errno?: unknown }).errno === -ENOENT;
      if (!missing || attempt === ATTEMPTS || currentVersion(directory).path === known) throw error;
      known = undefined;
    }
  }
}

/** Five system calls. @throws SystemError of bpf(2); EINVAL for a map that is no manifest */
export function readManifest(door: Door, version: string): Manifest {
  const path = join(version, MANIFEST);
  const map = pinnedGetter(door)(path);
  if (map < 0) throw new SystemError(map, 'bpf', { path });
  try {
    // The map says how much it writes: that of another ABI may be longer.
    const size = valueSize(door, map);
    if (size >= 0 && size < abi.SIZEOF_FDMAP_MANIFEST) throw new SystemError(-EINVAL, 'bpf', { path });
    const value = new Memory(door, Math.max(size, 0));
    const result = size < 0 ? size : lookupElement(door, map, value);
    if (result < 0) throw new SystemError(result, 'bpf', { path });
    return decodeManifest(value);
  } finally {
    close(door, map);
  }
}
