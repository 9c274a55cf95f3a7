/** Programs that somebody else has loaded and pinned, by their names. */

import { statSync } from 'node:fs';
import { LoadError, type Loaded, type ObjectFile } from '../../loader/skeleton.ts';
import { pinnedGetter } from '../../sys/bpf.ts';
import { close } from '../../sys/calls.ts';
import { toHighDescriptor } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import type { ObjectSource } from '../kernel/backend.ts';
import { fileKeyId } from '../kernel/file-key.ts';
import { inVersion } from './directory.ts';

/**
 * Opens an object's programs: one bpf(2) call each, a few microseconds. All of
 * one version; one that is replaced meanwhile is looked for again.
 *
 * @param version that was found when the backend was opened
 * @throws LoadError with the step `obj_get`; FdmapError as of inVersion()
 */
export function pinnedSource(door: Door, directory: string, version: string): ObjectSource {
  let current = version;
  const get = pinnedGetter(door);
  const source: ObjectSource = (object) =>
    inVersion(
      directory,
      (path) => {
        const opened = openPrograms(door, get, path, object);
        if (typeof opened === 'number') throw new LoadError(object.name, 'obj_get', opened);
        current = path;
        return opened;
      },
      current,
    );
  source.keyId = () => keyIdOf(current);
  return source;
}

/**
 * The key is root's secret; that two callers have the same follows from the directory: each
 * installation pins into a new one.
 */
function keyIdOf(version: string): string | undefined {
  const { dev, ino, ctimeNs } = statSync(version, { bigint: true, throwIfNoEntry: false }) ?? {};
  return dev === undefined ? undefined : fileKeyId(`${version} ${dev} ${ino} ${ctimeNs}`);
}

function openPrograms(
  door: Door,
  get: (path: string) => number,
  path: string,
  { programs }: ObjectFile,
): Loaded | number {
  const opened = new Map<string, number>();
  for (const name of programs) {
    const fd = toHighDescriptor(door, get(`${path}/${name}`));
    if (fd < 0) {
      for (const each of opened.values()) close(door, each);
      return fd;
    }
    opened.set(name, fd);
  }
  return { maps: new Map(), programs: opened };
}
