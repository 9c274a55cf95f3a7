/**
 * Who is at the other end, of every row at once: one pass to put descriptors
 * into bins by what they hold, one to look into the bins.
 */

import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import type { Access, Endpoint } from '../../abi/fdinfo/descriptor.ts';
import { EpollDescriptor, EventfdDescriptor } from '../../abi/fdinfo/events.ts';
import { CharDescriptor, PipeDescriptor } from '../../abi/fdinfo/files.ts';
import { type InetAddress, InetSocketDescriptor } from '../../abi/fdinfo/inet-sockets.ts';
import { UnixSocketDescriptor } from '../../abi/fdinfo/sockets.ts';

interface Key {
  /** What the row is one end of. */
  readonly own: string;
  /** What its other ends are. */
  readonly others: readonly string[];
}

/** A mapped IPv4 address is that address to the other end. */
const address = ({ address, port }: InetAddress) => `${address.replace(/^::ffff:/, '')}:${port}`;

function inetKey(row: InetSocketDescriptor): Key | undefined {
  const { local, remote, type, netns } = row;
  // Both ends are here only where the connection stays within one network namespace.
  if (!local || !remote || remote.port === 0 || netns === undefined) return undefined;
  const prefix = `${type} ${netns} `;
  return {
    own: `${prefix}${address(local)} ${address(remote)}`,
    others: [`${prefix}${address(remote)} ${address(local)}`],
  };
}

/** Who reads has those who write at the other end; who does both has everybody. */
const PIPE_ENDS: Readonly<Record<Access, readonly Access[]>> = {
  r: ['w', 'rw'],
  w: ['r', 'rw'],
  rw: ['r', 'w', 'rw'],
  '-': [],
};

function pipeKey({ dev, inode, access }: PipeDescriptor): Key | undefined {
  if (access === undefined || access === '-') return undefined;
  const pipe = `pipe ${dev} ${inode} `;
  return { own: pipe + access, others: PIPE_ENDS[access].map((other) => pipe + other) };
}

function keyOf(row: Descriptor): Key | undefined {
  if (typeof row.fd !== 'number') return undefined;
  if (row instanceof PipeDescriptor) return pipeKey(row);
  if (row instanceof InetSocketDescriptor) return inetKey(row);
  if (row instanceof UnixSocketDescriptor)
    return { own: `unix ${row.inode}`, others: row.peer ? [`unix ${row.peer}`] : [] };
  if (row instanceof EventfdDescriptor && row.id !== undefined) {
    const key = `eventfd ${row.id}`;
    return { own: key, others: [key] };
  }
  if (row instanceof CharDescriptor && row.pty !== undefined) {
    // A master is opened through the ptmx of any instance of devpts: the number is what both sides share.
    const [own, other] = row.master ? ['master', 'slave'] : ['slave', 'master'];
    return { own: `${own} ${row.pty}`, others: [`${other} ${row.pty}`] };
  }
  return undefined;
}

const endpointOf = (row: Descriptor): Endpoint => ({
  pid: row.pid,
  command: row.command ?? '',
  fd: row.fd as number,
});

function add<K, V>(bins: Map<K, V[]>, key: K, value: V): void {
  const bin = bins.get(key);
  if (bin) bin.push(value);
  else bins.set(key, [value]);
}

/** An epoll's target where no identity of open files is had: the number that the same process has it under. */
const byNumber = (pid: number, fd: number, inode: unknown) => `${pid} ${fd} ${inode}`;

/** Fills in `endpoints` and `watchers` of the rows of `subjects`, out of `all`. */
export function joinEndpoints(subjects: readonly Descriptor[], all: readonly Descriptor[]): void {
  const bins = new Map<string, Descriptor[]>();
  const watching = new Map<string, Descriptor[]>();
  for (const row of all) {
    const key = keyOf(row);
    if (key) add(bins, key.own, row);
    if (!(row instanceof EpollDescriptor)) continue;
    for (const { fd, fileId, inode } of row.targets ?? [])
      add(watching, fileId ?? byNumber(row.pid, fd, inode), row);
  }
  for (const row of subjects) {
    const ends = (keyOf(row)?.others ?? []).flatMap((key) => bins.get(key) ?? []);
    const others = ends.filter((end) => end.pid !== row.pid || end.fd !== row.fd || end.tid !== row.tid);
    if (others.length > 0) row.endpoints = others.map(endpointOf);
    if (typeof row.fd !== 'number') continue;
    const watchers = watching.get(row.fileId ?? byNumber(row.pid, row.fd, row.inode)) ?? [];
    if (watchers.length > 0) row.watchers = [...new Set(watchers)].map(endpointOf);
  }
}
