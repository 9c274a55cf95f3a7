/** The directory of an installation: made, mounted, and both undone. */

import { mkdirSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { FdmapError, SystemError } from '../../errors.ts';
import type { Door } from '../../sys/door.ts';
import { EBUSY, EEXIST, errnoOf } from '../../sys/errno.ts';
import { mount, unmount } from '../../sys/mounts.ts';
import { BPF_FS_MAGIC, checkDirectory } from './directory.ts';
import { withInstallLock } from './lock.ts';

/** include/uapi/linux/mount.h: MS_NOSUID | MS_NODEV | MS_NOEXEC; include/linux/fs.h: MNT_DETACH */
const MOUNT_FLAGS = 2 | 4 | 8;
const MNT_DETACH = 2;

/** What was done to a place, so that it can be undone. */
export interface Place {
  readonly directory: string;
  readonly madeDirectory: boolean;
  readonly mounted: boolean;
}

/**
 * Runs `action` with a bpffs at `directory` and nobody else installing or
 * uninstalling there. Where the action fails, what was made for it goes again.
 *
 * @throws FdmapError ERR_FDMAP_UNSAFE_DIRECTORY, ERR_FDMAP_BUSY; SystemError of mkdir(2), mount(2), flock(2)
 */
export function withPlace<T>(door: Door, directory: string, action: (place: Place) => T): T {
  return withInstallLock(door, directory, () => {
    const madeDirectory = makeDirectory(directory);
    let mounted = false;
    try {
      if (isBpffs(directory)) {
        checkDirectory(directory);
        return action({ directory, madeDirectory, mounted });
      }
      refuseUnsafeParent(directory);
      const result = mount(door, 'fdmap', directory, 'bpf', MOUNT_FLAGS, 'mode=0755');
      if (result < 0) throw new SystemError(result, 'mount', { path: directory });
      mounted = true;
      return action({ directory, madeDirectory, mounted });
    } catch (error) {
      if (mounted) removePlace(door, { directory, madeDirectory, mounted });
      else if (madeDirectory) rmdirSync(directory);
      throw error;
    }
  });
}

/** Unmounts and removes what an installation brought; lazily where somebody is still in there. */
export function removePlace(door: Door, { directory, madeDirectory, mounted }: Place): void {
  if (mounted) {
    let result = unmount(door, directory, 0);
    if (result === -EBUSY) result = unmount(door, directory, MNT_DETACH);
    if (result < 0) throw new SystemError(result, 'umount', { path: directory });
  }
  if (madeDirectory) rmdirSync(directory);
}

function makeDirectory(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o755 });
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === -EEXIST) return false;
    throw new SystemError(errno, 'mkdir', { path: directory });
  }
}

/** Whoever may rename the directory could put another one, with programs of his, in its place. */
function refuseUnsafeParent(directory: string): void {
  const parent = dirname(directory);
  for (const [path, { uid, mode }] of [
    [directory, statSync(directory)],
    [parent, statSync(parent)],
  ] as const) {
    const sticky = path === parent && (mode & 0o1000) !== 0;
    if (uid !== 0 || (mode & 0o022 && !sticky)) {
      throw new FdmapError(
        'ERR_FDMAP_UNSAFE_DIRECTORY',
        `${path} belongs to user ${uid} with mode ${(mode & 0o7777).toString(8)}: others than root could replace what is below`,
      );
    }
  }
}

const isBpffs = (directory: string) => statfsSync(directory).type === BPF_FS_MAGIC;
