/** /proc/PID/cgroup and where its paths lead: cgroups(7), cgroup_namespaces(7). */

import { statSync } from 'node:fs';
import { errnoOf } from '../../sys/errno.ts';
import type { ProcFiles } from './files.ts';

/** The path in the hierarchy of version 2, whose line begins with `0::`; undefined without one. */
export const unifiedPath = (text: string): string | undefined => /^0::(.*)$/m.exec(text)?.[1];

/** The lines of version 1. */
export const olderHierarchies = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('0::'))
    .join('\n');

/**
 * Ids of cgroups, which are the inode numbers of their directories (kernfs), looked up
 * once for each path below the mounted hierarchy.
 */
export class CgroupIds {
  readonly #mount: { readonly root: string; readonly at: string } | undefined;
  readonly #ids = new Map<string, bigint | undefined>();

  constructor(files: ProcFiles) {
    const mounts = files.whole('/proc/self/mountinfo');
    this.#mount = typeof mounts === 'number' ? undefined : unifiedMount(mounts);
  }

  /** Undefined for what is not below the mount: removed, or outside of the caller's cgroup namespace. */
  get(path: string): bigint | undefined {
    if (!this.#ids.has(path)) this.#ids.set(path, this.#find(path));
    return this.#ids.get(path);
  }

  #find(path: string): bigint | undefined {
    if (!this.#mount) return undefined;
    const { root, at } = this.#mount;
    const base = root === '/' ? '' : root;
    if (path.startsWith('/..') || !`${path}/`.startsWith(`${base}/`)) return undefined;
    try {
      // Text of the files is Latin-1: the bytes as they are.
      const bytes = Buffer.from(`${at}${path.slice(base.length)}`, 'latin1');
      return statSync(bytes, { bigint: true }).ino;
    } catch (error) {
      errnoOf(error);
      return undefined;
    }
  }
}

/** The first mount of cgroup2 in a mountinfo file: which part of the hierarchy it shows, and where. */
function unifiedMount(mountinfo: string): { root: string; at: string } | undefined {
  for (const line of mountinfo.split('\n')) {
    const [head = '', tail = ''] = line.split(' - ');
    if (!tail.startsWith('cgroup2 ')) continue;
    const [, , , root = '/', at = '/'] = head.split(' ').map(unescaped);
    return { root, at };
  }
  return undefined;
}

/** mangle_path() in fs/seq_file.c: blanks and backslashes as octal numbers. */
const unescaped = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
