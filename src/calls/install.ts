import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { release } from 'node:os';
import { basename, resolve } from 'node:path';
import * as abi from '../abi/layout.gen.ts';
import { packageVersion } from '../assets.ts';
import { loadingSource } from '../backends/kernel/backend.ts';
import { KEY_FILE, keepFileKey } from '../backends/kernel/file-key.ts';
import {
  checkDirectory,
  currentVersion,
  DEFAULT_DIRECTORY,
  readManifest,
} from '../backends/pinned/directory.ts';
import { measureGuards } from '../backends/pinned/guards.ts';
import { withInstallLock } from '../backends/pinned/lock.ts';
import type { Manifest } from '../backends/pinned/manifest.ts';
import { type SecurityModules, securityModules } from '../backends/pinned/modules.ts';
import { currentName, pinVersion, unpinAll } from '../backends/pinned/pins.ts';
import { removePlace, withPlace } from '../backends/pinned/place.ts';
import { groupNumber, procPolicy } from '../backends/pinned/policy.ts';
import { explain } from '../backends/select.ts';
import { ArgumentError, FdmapError, SystemError } from '../errors.ts';
import * as objects from '../loader/objects.gen.ts';
import {
  type Hidepid,
  LoadError,
  type Loaded,
  type ObjectFile,
  type SharedConfig,
  unload,
} from '../loader/skeleton.ts';
import type { Door } from '../sys/door.ts';
import { EINVAL, EPERM } from '../sys/errno.ts';
import { requireDoor } from './door.ts';

export type { Hidepid } from '../loader/skeleton.ts';

export interface InstallOptions {
  /** Where: mounted as a bpffs if it is none, made if it is missing. Default: `FDMAP_BPFFS`, else /run/fdmap. */
  readonly at?: string | undefined;
  /** Only this group may call: a name or a number. Default: everybody. */
  readonly group?: string | number | undefined;
  /** Which processes callers know of, as the mount option of proc. Default: that of the first process's /proc; 4 without one. */
  readonly hidepid?: Hidepid | undefined;
  /** The group to which hidepid 1 and 2 do not apply. Default: the gid= of /proc, which is 0 if not given. */
  readonly exemptGid?: number | undefined;
  /** Also streams of plain text, for shells: `DIR/fds` and `DIR/ps`. Default: no. */
  readonly text?: boolean | undefined;
}

export interface InstallReport extends Omit<Manifest, 'mounted' | 'madeDirectory'> {
  readonly directory: string;
  /** Directory of this version below it. */
  readonly path: string;
  /** False: the same was installed already, and nothing was touched. */
  readonly changed: boolean;
  /** Active security modules. */
  readonly securityModules: readonly string[];
  /** Objects that this kernel does not take, and why. */
  readonly skipped: readonly { readonly object: string; readonly reason: string }[];
}

type Pinnable = ObjectFile & { readonly sha256: string };

/** What shells read. */
const TEXT: readonly Pinnable[] = [objects.TEXT_FDS, objects.TEXT_PS];

/** What `install` itself needs, and what has no policy in it. */
const PRIVATE: readonly Pinnable[] = [objects.LSM_WORDS, objects.PIDINFO_BASIC];

/** All else that is compiled; text where it is asked for. */
const SHARED: readonly Pinnable[] = Object.values(objects).filter(
  (object) => !PRIVATE.includes(object) && !TEXT.includes(object),
);

const directoryOf = (at: string | undefined) => resolve(at || process.env.FDMAP_BPFFS || DEFAULT_DIRECTORY);

/**
 * `install()` - pins the calls for everybody on this machine.
 *
 * Loads every program (0.1 to 1 s), mounts a bpffs unless there is one, and pins
 * one version completely before it takes the place of the one before. Run it
 * again after each boot; the same version and policy again change nothing. A
 * failure leaves what was there before.
 *
 * @throws SystemError `EPERM` for anybody but root; of mkdir(2), mount(2) and bpf(2)
 * @throws ArgumentError `EINVAL` for a group or hidepid that does not exist
 * @throws FdmapError `ERR_FDMAP_UNSAFE_DIRECTORY` where others could replace the directory;
 *   `ERR_FDMAP_LOAD` where the kernel takes none of the programs; `ERR_FDMAP_BUSY` where another
 *   installation goes on for a minute
 */
export async function install(options: InstallOptions = {}): Promise<InstallReport> {
  const door = requireDoor('install');
  const directory = directoryOf(options.at);
  onlyRoot('install', directory);
  const group = groupOf(options.group);
  const { hidepid, exemptGid } = policyOf(options);
  const modules = securityModules(door);
  const { config, reason } = await configOf(door, modules, { hidepid, exemptGid });
  const wanted = options.text ? [...SHARED, ...TEXT] : SHARED;
  const build = buildOf(wanted, { ...config, group, reason, kernel: release() });
  const name = `abi${abi.FDMAP_ABI}-${build}`;
  const describe = (
    path: string,
    manifest: Manifest,
    changed: boolean,
    skipped: InstallReport['skipped'],
  ) => {
    const { mounted: _, madeDirectory: __, ...facts } = manifest;
    return { ...facts, directory, path, changed, securityModules: modules.names, skipped };
  };
  return withPlace(door, directory, (place) => {
    const before = manifestOf(door, directory);
    const loaded = loadShared(door, config, wanted);
    try {
      const manifest: Manifest = {
        abi: abi.FDMAP_ABI,
        version: packageVersion(),
        build,
        tier: loaded.objects.has(objects.FDMAP.name) ? 'A' : 'B',
        selfOnly: config.selfOnly,
        reason,
        hidepid,
        exemptGid,
        group,
        mounted: place.mounted || (before?.manifest.mounted ?? false),
        madeDirectory: place.madeDirectory || (before?.manifest.madeDirectory ?? false),
        text: TEXT.some(({ name }) => loaded.objects.has(name)),
      };
      if (before && isComplete(before, name, loaded.objects.values())) {
        return describe(before.path, before.manifest, false, loaded.skipped);
      }
      const path = pinVersion(door, directory, name, [...loaded.objects.values()], manifest);
      return describe(path, manifest, true, loaded.skipped);
    } finally {
      for (const each of loaded.objects.values()) unload(door, each);
    }
  });
}

export interface UninstallOptions {
  /** Where. Default: `FDMAP_BPFFS`, else /run/fdmap. */
  readonly at?: string | undefined;
}

export interface UninstallReport {
  readonly directory: string;
  /** Names that were removed from it. */
  readonly removed: readonly string[];
  /** The file system was unmounted; else it was there before, or holds things of others. */
  readonly unmounted: boolean;
}

/**
 * `uninstall()` - removes the pinned calls, then the mount and the directory if
 * install() made them. What others put there stays, and the mount with it.
 * Processes that have opened the calls go on with what they have.
 *
 * @throws SystemError `EPERM` for anybody but root; FdmapError `ERR_FDMAP_NOT_INSTALLED`, `ERR_FDMAP_BUSY`
 */
export async function uninstall(options: UninstallOptions = {}): Promise<UninstallReport> {
  const door = requireDoor('uninstall');
  const directory = directoryOf(options.at);
  onlyRoot('uninstall', directory);
  checkDirectory(directory);
  return withInstallLock(door, directory, () => {
    const before = manifestOf(door, directory);
    const { removed, empty } = unpinAll(directory);
    if (removed.length === 0) {
      throw new FdmapError('ERR_FDMAP_NOT_INSTALLED', `there are no calls in ${directory}`);
    }
    const mounted = empty && (before?.manifest.mounted ?? false);
    // A directory that was made inside a bpffs of somebody else goes without unmounting.
    const madeDirectory = empty && (before?.manifest.madeDirectory ?? false);
    removePlace(door, { directory, mounted, madeDirectory });
    return { directory, removed, unmounted: mounted };
  });
}

/**
 * `installed()` - what is pinned in a directory: everybody may ask. About eight
 * system calls. Also tells of an ABI that this library does not speak.
 *
 * @throws FdmapError `ERR_FDMAP_NOT_INSTALLED`, `ERR_FDMAP_UNSAFE_DIRECTORY`; SystemError where bpf(2) is forbidden
 */
export function installed(options: UninstallOptions = {}): Installed {
  const directory = directoryOf(options.at);
  const version = currentVersion(directory);
  const { mounted: _, madeDirectory: __, ...facts } = readManifest(requireDoor('installed'), version.path);
  return { directory, path: version.path, ...facts };
}

export interface Installed extends Omit<Manifest, 'mounted' | 'madeDirectory'> {
  readonly directory: string;
  readonly path: string;
}

/** Anybody else would be refused half-way: by mkdir(2), mount(2) or bpf(2). */
function onlyRoot(syscall: string, path: string): void {
  if (process.geteuid?.() !== 0) throw new SystemError(-EPERM, syscall, { path });
}

function groupOf(group: string | number | undefined): number | undefined {
  if (group === undefined) return undefined;
  const number = groupNumber(String(group));
  if (number === undefined || !(number < abi.FDMAP_EVERYBODY)) {
    throw new ArgumentError(EINVAL, 'install', `there is no group ${JSON.stringify(group)}`);
  }
  return number;
}

function policyOf({ hidepid, exemptGid }: InstallOptions): { hidepid: Hidepid; exemptGid: number } {
  if (hidepid !== undefined && ![0, 1, 2, 4].includes(hidepid)) {
    throw new ArgumentError(EINVAL, 'install', `hidepid must be 0, 1, 2 or 4, not ${hidepid}`);
  }
  if (exemptGid !== undefined && !(Number.isInteger(exemptGid) && exemptGid >= 0 && exemptGid < 2 ** 32)) {
    throw new ArgumentError(EINVAL, 'install', `exemptGid must be the number of a group, not ${exemptGid}`);
  }
  const proc = procPolicy();
  return { hidepid: hidepid ?? proc.hidepid, exemptGid: exemptGid ?? proc.exemptGid };
}

/** Constants of the shared programs; self-only where nothing else would be safe. */
async function configOf(
  door: Door,
  modules: SecurityModules,
  policy: { hidepid: Hidepid; exemptGid: number },
): Promise<{ config: SharedConfig; reason: string }> {
  const measured = await measureGuards(door, modules);
  return 'guards' in measured
    ? { config: { selfOnly: false, ...policy, ...measured.guards }, reason: '' }
    : { config: { selfOnly: true, ...policy }, reason: measured.refused };
}

/** Programs and constants in twelve characters: equal when nothing is to be done. */
function buildOf(wanted: readonly Pinnable[], facts: object): string {
  const text = JSON.stringify([packageVersion(), wanted.map(({ sha256 }) => sha256), facts], (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

interface LoadedShared {
  readonly objects: ReadonlyMap<string, Loaded>;
  readonly skipped: InstallReport['skipped'];
}

/** They call kernel functions, which syscall programs may since 6.10: one that is refused speaks for all. */
const CALLING_FUNCTIONS: readonly ObjectFile[] = [
  objects.FDMAP,
  objects.FDMAP_WIDE,
  objects.PIDMAP,
  objects.PIDMAP_WIDE,
  objects.PIDINFO,
  objects.PIDINFO_WIDE,
];

/**
 * Every object that this kernel takes. What its verifier refuses is left out:
 * callers find the next way by themselves, as they do with programs of their own.
 */
function loadShared(door: Door, config: SharedConfig, wanted: readonly Pinnable[]): LoadedShared {
  keepFileKey(door, KEY_FILE);
  const source = loadingSource(door, release(), config);
  const loaded = new Map<string, Loaded>();
  const skipped: { object: string; reason: string }[] = [];
  let withoutFunctions: string | undefined;
  for (const object of wanted) {
    const callsFunctions = CALLING_FUNCTIONS.includes(object);
    if (callsFunctions && withoutFunctions !== undefined) {
      skipped.push({ object: object.name, reason: withoutFunctions });
      continue;
    }
    try {
      loaded.set(object.name, source(object));
    } catch (error) {
      const refused = error instanceof LoadError && error.step === 'prog_run' && error.errno !== -EPERM;
      if (!refused || object === objects.FDMAP_SELF) {
        for (const each of loaded.values()) unload(door, each);
        throw error;
      }
      const reason = explain(error);
      if (callsFunctions) withoutFunctions = reason;
      skipped.push({ object: object.name, reason });
    }
  }
  return { objects: loaded, skipped };
}

interface Before {
  readonly path: string;
  readonly manifest: Manifest;
}

/** What is installed now; of another ABI too, for an upgrade must know who mounted. */
function manifestOf(door: Door, directory: string): Before | undefined {
  if (currentName(directory) === undefined) return undefined;
  const { path } = currentVersion(directory);
  return { path, manifest: readManifest(door, path) };
}

function isComplete({ path }: Before, name: string, loaded: Iterable<Loaded>): boolean {
  if (!basename(path).startsWith(name)) return false;
  const pinned = new Set(readdirSync(path));
  return [...loaded].every(({ programs }) => [...programs.keys()].every((program) => pinned.has(program)));
}
