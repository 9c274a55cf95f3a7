/** Programs that somebody else has loaded and pinned, by their names. */

import { join } from 'node:path';
import { LoadError, type Loaded, type ObjectFile } from '../../loader/skeleton.ts';
import { getPinned } from '../../sys/bpf.ts';
import { close } from '../../sys/calls.ts';
import { toHighDescriptor } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { ENOENT } from '../../sys/errno.ts';
import { checkAbi, currentVersion } from './directory.ts';

/** An upgrade takes the old version away some milliseconds after it has put the new one there. */
const ATTEMPTS = 3;

/**
 * Opens an object's programs: one bpf(2) call each, a few microseconds. All of
 * one version; one that is replaced meanwhile is looked for again.
 *
 * @throws LoadError with the step `obj_get`; FdmapError as of currentVersion() and checkAbi()
 */
export function pinnedSource(door: Door, directory: string): (object: ObjectFile) => Loaded {
  return (object) => {
    for (let attempt = 1; ; attempt++) {
      const version = currentVersion(directory);
      checkAbi(directory, version.abi);
      const opened = openPrograms(door, version.path, object);
      if (typeof opened !== 'number') return opened;
      const replaced = opened === -ENOENT && currentVersion(directory).path !== version.path;
      if (!replaced || attempt === ATTEMPTS) throw new LoadError(object.name, 'obj_get', opened);
    }
  };
}

function openPrograms(door: Door, path: string, { programs }: ObjectFile): Loaded | number {
  const opened = new Map<string, number>();
  for (const name of programs) {
    const fd = toHighDescriptor(door, getPinned(door, join(path, name)));
    if (fd < 0) {
      for (const each of opened.values()) close(door, each);
      return fd;
    }
    opened.set(name, fd);
  }
  return { maps: new Map(), programs: opened };
}
