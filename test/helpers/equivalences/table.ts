/**
 * Which member of ours is which column of other programs, and how one is made of the other. What differs
 * for a reason says so here and in docs/fdinfo.md.
 */

import { constants as FILES } from 'node:fs';
import { bytesOf, type DescriptorType } from '../../../src/index.ts';

/** A row as JSON has it. */
export type Row = Readonly<Record<string, unknown>> & { readonly type: DescriptorType; readonly fd: number };

export interface Equivalence {
  /** A member, or several. */
  readonly ours: string;
  readonly theirs: string;
  /** What their column must be. Not asked for rows that have not all of `ours`. */
  readonly of: (row: Row) => string | number | undefined;
  /** Their column in the form that `of` gives; as it is if absent. */
  readonly read?: (text: string, row: Row) => string | number;
  /** Rows that have the column; all that have the members if absent. */
  readonly only?: (row: Row) => boolean;
}

export type Numbers = Readonly<Record<string, number>>;
const arm64 = process.arch === 'arm64';
/** include/uapi/asm-generic/fcntl.h and that of arm64: what node:fs has no name for. */
const OPEN_FLAGS: Numbers = {
  ...(FILES as unknown as Numbers),
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
  O_LARGEFILE: arm64 ? 0o400000 : 0o100000,
};
export const bits = (row: Row) =>
  (row.flags as string[]).reduce((sum, name) => sum | (OPEN_FLAGS[name] ?? Number.NaN), 0);

export const is =
  (...types: DescriptorType[]) =>
  (row: Row) =>
    types.includes(row.type);
export const not =
  (...types: DescriptorType[]) =>
  (row: Row) =>
    !types.includes(row.type);
export const INET: readonly DescriptorType[] = ['tcp', 'udp', 'udplite', 'raw', 'ping'];
export const SOCKETS: readonly DescriptorType[] = [...INET, 'unix', 'netlink', 'packet', 'vsock', 'socket'];
export const NAMED: readonly DescriptorType[] = ['file', 'dir', 'symlink', 'char', 'block', 'fifo'];
export const mapped = (table: Readonly<Partial<Record<string, string>>>, member: string) => (row: Row) =>
  table[String(row[member])];
export const text = (member: string) => (row: Row) => String(row[member]);

/** The bytes of a path, a character each. */
export const latin1 = (path: unknown) => Buffer.from(bytesOf(String(path))).toString('latin1');

export const linkName = (row: Row) => latin1(row.path) + (row.deleted === true ? ' (deleted)' : '');

export const ANONYMOUS: readonly DescriptorType[] = [
  'eventfd',
  'epoll',
  'timerfd',
  'signalfd',
  'inotify',
  'fanotify',
  'io_uring',
  'userfaultfd',
  'perf',
];
export interface Address {
  readonly address: string;
  readonly port: number;
}
