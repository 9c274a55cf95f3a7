/** How many descriptors of which kind each process has: FILES SOCKETS PIPES OTHER. */

import type { DescriptorType } from '../../index.ts';
import type { Source } from '../source.ts';

export interface KindCounts {
  files: number;
  sockets: number;
  pipes: number;
  other: number;
}

const KINDS: Partial<Record<DescriptorType, keyof KindCounts>> = {
  file: 'files',
  dir: 'files',
  symlink: 'files',
  block: 'files',
  char: 'files',
  unknown: 'files',
  pipe: 'pipes',
  fifo: 'pipes',
  tcp: 'sockets',
  udp: 'sockets',
  udplite: 'sockets',
  raw: 'sockets',
  ping: 'sockets',
  unix: 'sockets',
  netlink: 'sockets',
  packet: 'sockets',
  vsock: 'sockets',
  socket: 'sockets',
};

/** Of every process that may be seen; a thread's own table counts with its process. */
export function kindCounts(source: Source): ReadonlyMap<number, KindCounts> {
  const counts = new Map<number, KindCounts>();
  for (const { pid, type } of source.fdinfo()) {
    let own = counts.get(pid);
    if (!own) {
      own = { files: 0, sockets: 0, pipes: 0, other: 0 };
      counts.set(pid, own);
    }
    own[KINDS[type] ?? 'other']++;
  }
  return counts;
}
