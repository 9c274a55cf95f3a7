/** Links and files of /proc/PID as bytes, and what their text says about the file behind them. */

import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { errnoOf } from '../../../sys/errno.ts';
import type { ProcFiles } from '../files.ts';
import type { FileStatus } from './head.ts';

export const DELETED = Buffer.from(' (deleted)');
const MEMFD = Buffer.from('/memfd:');

/** Where a link points, or a negative errno. */
export function linkBytes(path: string): Buffer | number {
  try {
    return readlinkSync(path, 'buffer');
  } catch (error) {
    return errnoOf(error);
  }
}

/** stat(2) of the file behind a link. Can hang where a server does not answer: only for whom that is known. */
export function statusOfFile(path: string): FileStatus | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    // Closed meanwhile, or a file that refuses: what stat would have told is not known.
    return undefined;
  }
}

const endsDeleted = (link: Buffer) => link.subarray(-DELETED.length).equals(DELETED);

/** The kernel's own mount of tmpfs is in no mountinfo. */
export const isMemfd = (link: Buffer) => link.subarray(0, MEMFD.length).equals(MEMFD) && endsDeleted(link);

export const memfdName = (link: Buffer) => link.subarray(MEMFD.length, link.length - DELETED.length);

interface Mount {
  readonly point: string;
  readonly local: boolean;
}

/** The caller's own mounts, by id, as far as a path of his leads over them. */
export class OwnMounts {
  readonly #files: ProcFiles;
  readonly #isLocal: (fileSystem: string) => boolean;
  #mounts: ReadonlyMap<number, Mount> | undefined;

  constructor(files: ProcFiles, isLocal: (fileSystem: string) => boolean) {
    this.#files = files;
    this.#isLocal = isLocal;
  }

  #all(): ReadonlyMap<number, Mount> {
    if (this.#mounts) return this.#mounts;
    const mounts = new Map<number, Mount>();
    const text = this.#files.whole('/proc/self/mountinfo');
    for (const line of typeof text === 'string' ? text.split('\n') : []) {
      const match = /^(\d+) \d+ \S+ \S+ (\S+) .* - (\S+) /.exec(line);
      if (!match) continue;
      const [, id, point = '', type = ''] = match;
      // Blank, tab, newline, backslash: show_mountinfo() of fs/proc_namespace.c
      const name = point.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
      mounts.set(Number(id), { point: name, local: this.#isLocal(type) });
    }
    this.#mounts = mounts;
    return mounts;
  }

  /** Does this path lead the caller to that mount, over local file systems alone? */
  leadsSafely(path: Buffer, mountId: number): boolean {
    const mounts = this.#all();
    const text = path.toString('latin1');
    if (!mounts.has(mountId)) return false;
    for (const { point, local } of mounts.values())
      if (!local && (point === '/' || text === point || text.startsWith(`${point}/`))) return false;
    return true;
  }
}

/**
 * A file can be named ` (deleted)` as well: where its own directory entry is there, it is. Undefined: not known.
 *
 * @param mayLook may lstat(2) be asked of the path?
 */
export function isDeleted(
  link: Buffer,
  status: FileStatus | undefined,
  mayLook: () => boolean,
): boolean | undefined {
  if (!endsDeleted(link)) return false;
  if (!status) return undefined;
  if (status.nlink === 0n) return true;
  if (!mayLook()) return undefined;
  try {
    const named = lstatSync(link, { bigint: true });
    return named.ino !== status.ino || named.dev !== status.dev;
  } catch {
    return true;
  }
}
