/** Which program each process runs: the places of fdinfo-places.bpf.c, and of them `exe`. */

import { type Descriptor, decodeChunk } from '../../abi/fdinfo/decode.ts';
import type { Executable } from '../../abi/pidinfo/executable.ts';
import type { DescriptorStream } from '../fdinfo.ts';

const ignore = { hidden: () => undefined, failed: () => undefined };

/** Adds what a stream of places tells; 0 or a negative errno. */
export function addExecutables(stream: DescriptorStream, found: Map<number, Executable>): number {
  try {
    for (;;) {
      const chunk = stream.next();
      if (typeof chunk === 'number') return chunk;
      const rows: Descriptor[] = [];
      decodeChunk(chunk, rows, ignore);
      for (const row of rows) {
        const { fd, path, deleted, dev, inode, pid } = row;
        if (fd !== 'exe' || path === undefined || dev === undefined || inode === undefined) continue;
        found.set(pid, { path, ...(deleted && { deleted }), dev, inode });
      }
    }
  } finally {
    stream.close();
  }
}
