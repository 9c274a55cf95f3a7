/** One installation or removal at a time: a lock beside the directory that nobody but root can hold. */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FdmapError, SystemError } from '../../errors.ts';
import type { Door } from '../../sys/door.ts';
import { EAGAIN, errnoOf } from '../../sys/errno.ts';
import { tryLock } from '../../sys/mounts.ts';
import { BPF_FS_MAGIC } from './directory.ts';

const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
/** An installation takes a second; programs that are loaded on a slow machine some more. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

/**
 * Runs `action` while nobody else does so for the same directory. Not the directory itself is
 * locked: everybody may open that, and so hold a lock on it (flock(2) asks for no permission).
 *
 * @throws FdmapError ERR_FDMAP_BUSY after a minute; ERR_FDMAP_UNSAFE_DIRECTORY for a lock of somebody
 *   else's making; SystemError of realpath(3), open(2), flock(2)
 */
export function withInstallLock<T>(
  door: Door,
  directory: string,
  action: () => T,
  patience = PATIENCE_MS,
): T {
  const path = lockPath(directory);
  for (const end = Date.now() + patience; ; pause()) {
    const fd = openLock(path);
    try {
      const result = tryLock(door, fd);
      if (result < 0 && result !== -EAGAIN) throw new SystemError(result, 'flock', { path });
      // Whoever held it has removed it: another file has that name by now, or none.
      if (result === 0 && isStill(fd, path)) {
        try {
          return action();
        } finally {
          rmSync(path, { force: true });
        }
      }
    } finally {
      closeSync(fd);
    }
    if (Date.now() > end) {
      throw new FdmapError(
        'ERR_FDMAP_BUSY',
        `another install or uninstall is at work in ${directory}: it holds ${path}`,
      );
    }
  }
}

/** The same for every spelling of the directory. In a bpffs there are no files: one in /run stands for all. */
function lockPath(directory: string): string {
  let parent: string;
  try {
    parent = realpathSync(dirname(directory));
  } catch (error) {
    throw new SystemError(errnoOf(error), 'realpath', { path: dirname(directory) });
  }
  const beside = statfsSync(parent).type !== BPF_FS_MAGIC;
  return beside ? join(parent, `${basename(directory)}.lock`) : '/run/fdmap.lock';
}

function openLock(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new SystemError(errnoOf(error), 'open', { path });
  }
  const { uid, mode } = fstatSync(fd);
  if (uid === 0 && (mode & 0o077) === 0) return fd;
  closeSync(fd);
  throw new FdmapError(
    'ERR_FDMAP_UNSAFE_DIRECTORY',
    `${path} belongs to user ${uid} with mode ${(mode & 0o7777).toString(8)}: remove it, others than root could hold it`,
  );
}

function isStill(fd: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const held = fstatSync(fd);
  return there?.dev === held.dev && there.ino === held.ino;
}

const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
