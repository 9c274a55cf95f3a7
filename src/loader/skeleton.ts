/**
 * Light skeletons (`bpftool gen skeleton -L`): an object that was turned into
 * data and a loader program. The kernel itself resolves CO-RE and kernel
 * functions while the loader program runs, so that no ELF, BTF or relocation
 * code is needed here: an array map with the data, the program, one run of it,
 * and the descriptors are in its context.
 */

import * as abi from '../abi/layout.gen.ts';
import { asset } from '../assets.ts';
import { FdmapError, SystemError } from '../errors.ts';
import { createArray, loadSyscallProgram, Runner, updateElement } from '../sys/bpf.ts';
import { close, pageSize, randomBytes } from '../sys/calls.ts';
import { LEAST, withLowDescriptorsTaken } from '../sys/descriptors.ts';
import type { Door } from '../sys/door.ts';
import { EINVAL } from '../sys/errno.ts';
import { Memory } from '../sys/memory.ts';
import { withSignalsBlocked } from '../sys/signals.ts';
import * as uapi from '../sys/uapi.gen.ts';

/** A row of objects.gen.ts. */
export interface ObjectFile {
  readonly name: string;
  readonly maps: readonly string[];
  readonly programs: readonly string[];
}

/** Descriptors of a loaded object, by name. The caller owns them. */
export interface Loaded {
  readonly maps: ReadonlyMap<string, number>;
  readonly programs: ReadonlyMap<string, number>;
}

/** Constants of the programs: struct fdmap_config in bpf/fdmap.h. */
export interface ProgramConfig {
  /** The kernel has bpf_task_from_vpid(), since 6.13. */
  readonly vpidLookup: boolean;
  /** 16 secret bytes that make the identities of open files: fdinfo's `fileId`. Default: random ones. */
  readonly fileKey?: Uint8Array | undefined;
  /** Present for programs that are pinned for others. */
  readonly shared?: SharedConfig | undefined;
}

export type Hidepid = 0 | 1 | 2 | 4;

/** What programs need that run for others than who loaded them. */
export interface SharedConfig {
  /** Nobody reads anybody but himself. */
  readonly selfOnly: boolean;
  /** Which processes a caller knows of: the mount options of proc. */
  readonly hidepid: Hidepid;
  readonly exemptGid: number;
  /** Offset into cred->security of Landlock's domain; absent when Landlock is not active. */
  readonly landlockWord?: number | undefined;
  /** The same of AppArmor's label, and the address of the label that confines nothing. */
  readonly apparmor?: { readonly word: number; readonly unconfined: bigint } | undefined;
}

const KEY_BYTES = 16;

/** Architectures whose processors make loads in their order (memory-barriers.txt). */
const KEEPS_LOADS: ReadonlySet<string> = new Set(['x64', 's390x']);

/** Room for the verifier's words; the end of them is what tells. */
const LOG_BYTES = 1 << 20;

/** The kernel would not take an object. `cause` is its errno; `log` the verifier's words, if it came to that. */
export class LoadError extends FdmapError {
  /** Name of the object in assets/. */
  readonly object: string;
  /** Which of the four calls refused, or that which opens a pinned program. */
  readonly step: 'map_create' | 'map_update' | 'prog_load' | 'prog_run' | 'obj_get';
  readonly errno: number;
  readonly log: string;
  declare readonly cause: SystemError;

  constructor(object: string, step: LoadError['step'], errno: number, log = '') {
    const cause = new SystemError(errno, 'bpf');
    const last = log.trimEnd().split('\n').slice(-4);
    const shown = last.length > 0 && log ? `\n${last.join('\n')}` : '';
    super('ERR_FDMAP_LOAD', `cannot load ${object}: ${cause.code} at ${step}${shown}`, { cause });
    this.object = object;
    this.step = step;
    this.errno = cause.errno;
    this.log = log;
  }
}

/**
 * Loads all maps and programs of an object, or none.
 *
 * Four bpf(2) calls, of which the last does the work: 1 to 30 ms, for which signals wait. No descriptor
 * is below 3, all are close-on-exec, and none is left behind on failure.
 *
 * @throws LoadError
 */
export function loadObject(
  door: Door,
  object: ObjectFile,
  config: ProgramConfig,
  files = filesOf(object),
): Loaded {
  // The verifier gives up with EAGAIN for any signal that is pending (do_check()), as a profiler's always is.
  return withSignalsBlocked(door, () =>
    withLowDescriptorsTaken(door, () => load(door, object, config, files)),
  );
}

const filesOf = ({ name }: ObjectFile) => ({ data: asset(`${name}.data`), insns: asset(`${name}.insns`) });

type Files = ReturnType<typeof filesOf>;

function load(door: Door, object: ObjectFile, config: ProgramConfig, files: Files): Loaded {
  const data = Memory.of(door, files.data);
  const insns = Memory.of(door, files.insns);
  const map = createArray(door, '__loader.map', files.data.length);
  if (map < 0) throw new LoadError(object.name, 'map_create', map);
  let program = -1;
  try {
    const updated = updateElement(door, map, data);
    if (updated < 0) throw new LoadError(object.name, 'map_update', updated);
    program = loadSyscallProgram(door, '__loader.prog', insns, files.insns.length, map);
    if (program < 0) throw new LoadError(object.name, 'prog_load', program);
    const error = runLoader(door, object, config, program);
    if (typeof error !== 'number') return error;
    // Once more, for the reason: the loader program opens nothing that it does not close on failure.
    const log = new Memory(door, LOG_BYTES);
    const again = runLoader(door, object, config, program, log);
    if (typeof again !== 'number') return again;
    throw new LoadError(object.name, 'prog_run', error, text(log));
  } finally {
    if (program >= 0) close(door, program);
    close(door, map);
  }
}

/** The descriptors that the loader program left in its context, or a negative errno. */
function runLoader(
  door: Door,
  object: ObjectFile,
  config: ProgramConfig,
  program: number,
  log?: Memory,
): Loaded | number {
  const programs = uapi.SIZEOF_BPF_LOADER_CTX + object.maps.length * uapi.SIZEOF_BPF_MAP_DESC;
  const size = programs + object.programs.length * uapi.SIZEOF_BPF_PROG_DESC;
  const context = new Memory(door, size);
  context.setU32(uapi.BPF_LOADER_CTX_SZ, size);
  const constants = object.maps.indexOf('rodata');
  if (constants >= 0) {
    const offset = uapi.SIZEOF_BPF_LOADER_CTX + constants * uapi.SIZEOF_BPF_MAP_DESC;
    context.setPointer(offset + uapi.BPF_MAP_DESC_INITIAL_VALUE, constantsOf(door, config));
  }
  if (log) {
    context.setU32(uapi.BPF_LOADER_CTX_LOG_LEVEL, 1);
    context.setU32(uapi.BPF_LOADER_CTX_LOG_SIZE, log.buffer.byteLength);
    context.setPointer(uapi.BPF_LOADER_CTX_LOG_BUF, log);
  }
  const runner = new Runner(door, program, context, size);
  const result = runner.run();
  if (result < 0) return result;
  if (runner.returned < 0) return runner.returned;
  const numbers = (names: readonly string[], start: number, step: number) =>
    names.map((_, i) => context.i32[(start + i * step) >> 2]!);
  const maps = numbers(
    object.maps,
    uapi.SIZEOF_BPF_LOADER_CTX + uapi.BPF_MAP_DESC_MAP_FD,
    uapi.SIZEOF_BPF_MAP_DESC,
  );
  const progs = numbers(object.programs, programs + uapi.BPF_PROG_DESC_PROG_FD, uapi.SIZEOF_BPF_PROG_DESC);
  // 0 to 2 are taken: a loader program that says so has put nothing there, and they are not ours to close.
  if ([...maps, ...progs].some((fd) => fd < LEAST)) {
    for (const fd of [...maps, ...progs]) if (fd >= LEAST) close(door, fd);
    return -EINVAL;
  }
  return {
    maps: new Map(object.maps.map((name, i) => [name, maps[i]!])),
    programs: new Map(object.programs.map((name, i) => [name, progs[i]!])),
  };
}

function constantsOf(door: Door, config: ProgramConfig): Memory {
  const memory = new Memory(door, abi.SIZEOF_FDMAP_CONFIG);
  const { shared } = config;
  memory.setU32(abi.FDMAP_CONFIG_VPID_LOOKUP, config.vpidLookup ? 1 : 0);
  memory.setU32(abi.FDMAP_CONFIG_PAGE_SIZE, pageSize(door));
  memory.setU32(abi.FDMAP_CONFIG_REORDERS_LOADS, KEEPS_LOADS.has(process.arch) ? 0 : 1);
  if (shared) {
    memory.setU32(abi.FDMAP_CONFIG_SHARED, 1);
    memory.setU32(abi.FDMAP_CONFIG_SELF_ONLY, shared.selfOnly ? 1 : 0);
    memory.setU32(abi.FDMAP_CONFIG_HIDEPID, shared.hidepid);
    memory.setU32(abi.FDMAP_CONFIG_EXEMPT_GID, shared.exemptGid);
    memory.setU32(abi.FDMAP_CONFIG_LANDLOCK_WORD, shared.landlockWord ?? abi.FDMAP_NO_WORD);
    memory.setU32(abi.FDMAP_CONFIG_APPARMOR_WORD, shared.apparmor?.word ?? abi.FDMAP_NO_WORD);
    memory.u64[abi.FDMAP_CONFIG_UNCONFINED >> 3] = shared.apparmor?.unconfined ?? 0n;
  }
  const key = config.fileKey ?? randomBytes(door, KEY_BYTES);
  // A key that can be guessed is none.
  if (typeof key === 'number') throw new SystemError(key, 'getrandom');
  memory.u8.set(key, abi.FDMAP_CONFIG_FILE_KEY);
  return memory;
}

function text(memory: Memory): string {
  const end = memory.u8.indexOf(0);
  return Buffer.from(memory.u8.subarray(0, end < 0 ? undefined : end)).toString();
}

/** The program of an object that has one. */
export function onlyProgram(loaded: Loaded): number {
  const [program] = loaded.programs.values();
  return program!;
}

/** Closes everything that an object brought. */
export function unload(door: Door, loaded: Loaded): void {
  for (const fd of loaded.programs.values()) close(door, fd);
  for (const fd of loaded.maps.values()) close(door, fd);
}
