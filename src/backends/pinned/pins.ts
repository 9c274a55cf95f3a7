/** One version of the calls in a bpffs: pinned completely, then made the current one. */

import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { SystemError } from '../../errors.ts';
import type { Loaded } from '../../loader/skeleton.ts';
import {
  createArray,
  createIteratorLink,
  freezeMap,
  pinObject,
  programType,
  updateElement,
} from '../../sys/bpf.ts';
import { close } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { ENOENT, errnoOf } from '../../sys/errno.ts';
import { BPF_PROG_TYPE_TRACING } from '../../sys/uapi.gen.ts';
import { CURRENT, MANIFEST } from './directory.ts';
import { encodeManifest, type Manifest } from './manifest.ts';
import { streamName } from './streams.ts';
import { TEXT_STREAMS } from './text.ts';

/** What is being pinned until it is complete. bpffs takes no name with a dot. */
const STAGING = 'staging';
const NEXT = 'staging_current';
const OURS = new RegExp(`^(abi\\d+-\\w+|staging\\w*|${[CURRENT, ...TEXT_STREAMS.values()].join('|')})$`);

/**
 * Pins programs, a link of every task for each iterator, and the manifest, in a
 * directory of its own; then `current` is renamed over the old one, and what it
 * pointed to goes. At no moment are the calls missing.
 *
 * @returns the directory of the version
 */
export function pinVersion(
  door: Door,
  directory: string,
  name: string,
  loaded: readonly Loaded[],
  manifest: Manifest,
): string {
  const staging = join(directory, STAGING);
  removeTree(staging);
  mkdirSync(staging, { mode: 0o755 });
  let target: string;
  try {
    const pin = (fd: number, pinName: string, group: number | undefined) => {
      const path = join(staging, pinName);
      const result = fd < 0 ? fd : pinObject(door, fd, path);
      if (result < 0) throw new SystemError(result, 'bpf', { path });
      if (group !== undefined) chownSync(path, 0, group);
      chmodSync(path, group === undefined ? 0o444 : 0o440);
    };
    for (const { programs } of loaded) {
      for (const [program, fd] of programs) {
        pin(fd, program, manifest.group);
        if (programType(door, fd) !== BPF_PROG_TYPE_TRACING) continue;
        const link = createIteratorLink(door, fd);
        try {
          pin(link, TEXT_STREAMS.get(program) ?? streamName(program), manifest.group);
        } finally {
          if (link >= 0) close(door, link);
        }
      }
    }
    // Everybody may read what the calls are, also who may not call them.
    const map = manifestMap(door, manifest);
    try {
      pin(map, MANIFEST, undefined);
    } finally {
      close(door, map);
    }
    chmodSync(staging, 0o755);
    target = unusedName(directory, name);
    renameSync(staging, join(directory, target));
  } catch (error) {
    removeTree(staging);
    throw error;
  }
  makeCurrent(directory, target);
  linkText(directory, target);
  removeOthers(directory, target);
  return join(directory, target);
}

/** Frozen, so that nobody can say anything else of this installation. */
function manifestMap(door: Door, manifest: Manifest): number {
  const value = encodeManifest(door, manifest);
  const map = createArray(door, 'fdmap_manifest', value.buffer.byteLength);
  if (map < 0) throw new SystemError(map, 'bpf');
  const result = updateElement(door, map, value) || freezeMap(door, map);
  if (result < 0) {
    close(door, map);
    throw new SystemError(result, 'bpf');
  }
  return map;
}

/** The same programs and policy once more, where the pins of the first time are damaged: another name. */
function unusedName(directory: string, name: string): string {
  const taken = new Set(readdirSync(directory));
  let unused = name;
  for (let i = 2; taken.has(unused); i++) unused = `${name}_${i}`;
  return unused;
}

function makeCurrent(directory: string, target: string): void {
  try {
    replaceLink(directory, CURRENT, target);
  } catch (error) {
    removeTree(join(directory, target));
    throw error;
  }
}

/** `link` leads to `target` from now on; before, to what it led to: rename(2) leaves no moment in between. */
function replaceLink(directory: string, link: string, target: string): void {
  const next = join(directory, NEXT);
  removeTree(next);
  symlinkSync(target, next);
  try {
    renameSync(next, join(directory, link));
  } catch (error) {
    unlinkSync(next);
    throw error;
  }
}

/** Short names for what shells read, where the version has it: `DIR/fds` leads through `current`. */
function linkText(directory: string, version: string): void {
  const pinned = new Set(readdirSync(join(directory, version)));
  for (const name of TEXT_STREAMS.values()) {
    if (pinned.has(name)) replaceLink(directory, name, join(CURRENT, name));
    else removeTree(join(directory, name));
  }
}

/** Open descriptors of the old version's programs go on working. */
function removeOthers(directory: string, keep: string): void {
  const stays = new Set([keep, CURRENT, ...TEXT_STREAMS.values()]);
  for (const name of readdirSync(directory)) {
    if (OURS.test(name) && !stays.has(name)) removeTree(join(directory, name));
  }
}

/** Where `current` points, or undefined. */
export function currentName(directory: string): string | undefined {
  try {
    return readlinkSync(join(directory, CURRENT));
  } catch (error) {
    if (errnoOf(error) !== -ENOENT) throw error;
    return undefined;
  }
}

/** Removes everything that an installation ever put here; true when nothing else is left. */
export function unpinAll(directory: string): { removed: string[]; empty: boolean } {
  // `current` first: from then on callers are told that nothing is installed.
  const names = readdirSync(directory).sort((a, b) => Number(b === CURRENT) - Number(a === CURRENT));
  const removed = names.filter((name) => OURS.test(name));
  for (const name of removed) removeTree(join(directory, name));
  // A name with a dot is the kernel's own: bpffs takes none from anybody else (maps.debug, progs.debug).
  return { removed, empty: names.every((name) => OURS.test(name) || name.includes('.')) };
}

/** A directory of pins, a symlink, or nothing: bpffs has no deeper trees of ours. */
function removeTree(path: string): void {
  let names: string[];
  try {
    readlinkSync(path);
    unlinkSync(path);
    return;
  } catch (error) {
    if (errnoOf(error) === -ENOENT) return;
  }
  names = readdirSync(path);
  for (const name of names) unlinkSync(join(path, name));
  rmdirSync(path);
}
