/** What fdinfo asks of a backend, and how the answer comes: chunks of records, whole ones. */

import type { Chunk } from '../abi/fdinfo/record.ts';
import type { DescriptorType } from '../abi/fdinfo/types.ts';

export interface FdinfoQuestion {
  /** One process or thread; every process of the caller's pid namespace if absent. */
  readonly pid: number | undefined;
  /** What a kernel program can leave out. The calls above look at every row themselves, too. */
  readonly types?: ReadonlySet<DescriptorType> | undefined;
  readonly fd?: number | undefined;
  readonly inode?: number | undefined;
  readonly port?: number | undefined;
  /** Device of the file system, in the kernel's own form. */
  readonly dev?: number | undefined;
  /** Effective uid of the process, where that is the number in the initial user namespace. */
  readonly user?: number | undefined;
  /** Name of the process, as its bytes. */
  readonly command?: Uint8Array | undefined;
  /** Facts of classes, lists and locks? Without them a row has what every descriptor has. */
  readonly details: boolean;
  readonly paths: boolean;
  /** Where each process is, its root and its program? */
  readonly places: boolean;
  /** Files that are mapped? */
  readonly mappings: boolean;
  /** proc: stat(2) files of any file system, though one whose server is dead would hang it? */
  readonly stat: boolean;
}

/** An answer in pieces. Holds descriptors of the caller's until it is closed. */
export interface DescriptorStream {
  /** The next records, a negative errno, or 0 at the end. */
  next(): Chunk | number;
  close(): void;
}
