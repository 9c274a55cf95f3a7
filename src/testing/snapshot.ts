/** The descriptors of this process with what they are, and what has come to them since. */

import { readlinkSync } from 'node:fs';
import { fdmap } from '../index.ts';

export interface Descriptor {
  readonly fd: number;
  /** `file` (anything with a path), `socket`, `pipe`, `memfd`, `namespace`, `eventfd`, `epoll`, `timerfd`, … */
  readonly kind: string;
  /** As /proc/self/fd has it: a path, or `socket:[4711]`. */
  readonly path: string;
}

/** Anonymous inodes whose names are not what the descriptors are called. */
const NAMES: Readonly<Record<string, string>> = { eventpoll: 'epoll', bpf_link: 'bpf-link' };

function kindOf(path: string): string {
  const anonymous = /^anon_inode:\[?([^\]]+)\]?$/.exec(path)?.[1];
  if (anonymous !== undefined) return NAMES[anonymous] ?? anonymous;
  if (path.startsWith('/memfd:')) return 'memfd';
  const special = /^(\w+):\[\d+\]$/.exec(path)?.[1];
  if (special === 'socket' || special === 'pipe') return special;
  return special === undefined ? 'file' : 'namespace';
}

/** One fdmap() and a readlink(2) for each descriptor; the files are not touched. */
export function snapshot(): Descriptor[] {
  const all: Descriptor[] = [];
  for (const fd of fdmap()) {
    let path: string;
    try {
      path = readlinkSync(`/proc/self/fd/${fd}`);
    } catch (error) {
      // Closed since, by another thread. Without /proc there is nothing to name anything by.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && all.length > 0) continue;
      throw error;
    }
    all.push({ fd, kind: kindOf(path), path });
  }
  return all;
}

/** What counts as more of the same: inodes of sockets and pipes are new each time. */
const groupOf = ({ kind, path }: Descriptor) =>
  kind === 'file' ? `file ${path.replace(/ \(deleted\)$/, '')}` : kind;

function grouped(descriptors: readonly Descriptor[]): Map<string, Descriptor[]> {
  const groups = new Map<string, Descriptor[]>();
  for (const descriptor of descriptors) {
    const group = groupOf(descriptor);
    groups.set(group, [...(groups.get(group) ?? []), descriptor]);
  }
  return groups;
}

/**
 * The new descriptors of those groups that have become larger. One that was closed and opened
 * anew is not growth, whatever its number is now.
 */
export function growth(before: readonly Descriptor[], after: readonly Descriptor[]): Descriptor[] {
  const known = grouped(before);
  const identity = ({ fd, path }: Descriptor) => `${fd} ${path}`;
  const seen = new Set(before.map(identity));
  return [...grouped(after)]
    .filter(([group, members]) => members.length > (known.get(group)?.length ?? 0))
    .flatMap(([, members]) => members.filter((descriptor) => !seen.has(identity(descriptor))))
    .sort((a, b) => a.fd - b.fd);
}
