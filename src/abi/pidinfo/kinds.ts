/** Which of a process's four counts a descriptor is in: struct pidinfo_kinds. */

import type { RecordWriter } from '../attributes.ts';
import * as abi from '../layout.gen.ts';

export interface KindCounts {
  files: number;
  sockets: number;
  pipes: number;
  other: number;
}

/** By enum fdinfo_type; what is not here is `other`. By /proc `unknown` is a file that was not asked. */
const KINDS: ReadonlyMap<number, keyof KindCounts> = new Map([
  [abi.FDINFO_UNKNOWN, 'files'],
  [abi.FDINFO_FILE, 'files'],
  [abi.FDINFO_DIR, 'files'],
  [abi.FDINFO_SYMLINK, 'files'],
  [abi.FDINFO_BLOCK, 'files'],
  [abi.FDINFO_CHAR, 'files'],
  [abi.FDINFO_PIPE, 'pipes'],
  [abi.FDINFO_FIFO, 'pipes'],
  [abi.FDINFO_TCP, 'sockets'],
  [abi.FDINFO_UDP, 'sockets'],
  [abi.FDINFO_UDPLITE, 'sockets'],
  [abi.FDINFO_RAW, 'sockets'],
  [abi.FDINFO_PING, 'sockets'],
  [abi.FDINFO_UNIX, 'sockets'],
  [abi.FDINFO_NETLINK, 'sockets'],
  [abi.FDINFO_PACKET, 'sockets'],
  [abi.FDINFO_VSOCK, 'sockets'],
  [abi.FDINFO_SOCKET, 'sockets'],
]);

export const noKinds = (): KindCounts => ({ files: 0, sockets: 0, pipes: 0, other: 0 });

/** Counts a descriptor of this type. */
export function countKind(counts: KindCounts, type: number): void {
  counts[KINDS.get(type) ?? 'other']++;
}

/** Adds the attribute to the record that `writer` has begun. */
export function addKindCounts(writer: RecordWriter, counts: KindCounts): void {
  const at = writer.attribute(abi.PIDINFO_KINDS, abi.SIZEOF_PIDINFO_KINDS);
  writer
    .setU32(at + abi.PIDINFO_KINDS_FILES, counts.files)
    .setU32(at + abi.PIDINFO_KINDS_SOCKETS, counts.sockets)
    .setU32(at + abi.PIDINFO_KINDS_PIPES, counts.pipes)
    .setU32(at + abi.PIDINFO_KINDS_OTHER, counts.other)
    .valid(abi.PIDINFO_KINDS);
}
