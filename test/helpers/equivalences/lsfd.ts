/** Columns of lsfd(1) of util-linux 2.38; in JSON, without its threads, mappings and places. */

import type { DescriptorType } from '../../../src/index.ts';
import {
  ANONYMOUS,
  type Equivalence,
  is,
  linkName,
  mapped,
  NAMED,
  not,
  type Row,
  SOCKETS,
  text,
} from './table.ts';

const TYPES_OF_LSFD: Partial<Record<DescriptorType, string>> = {
  file: 'REG',
  dir: 'DIR',
  symlink: 'LINK',
  char: 'CHR',
  block: 'BLK',
  pipe: 'FIFO',
  fifo: 'FIFO',
  memfd: 'REG',
  mqueue: 'REG',
  namespace: 'REG',
};
for (const type of SOCKETS) TYPES_OF_LSFD[type] = 'SOCK';
for (const type of ANONYMOUS) TYPES_OF_LSFD[type] = 'UNKN';

/** Those that its libc gives a number: O_LARGEFILE is 0 there, O_NOFOLLOW it does not print. */
const unprinted = new Set(['O_RDONLY', 'O_LARGEFILE', 'O_NOFOLLOW']);
const flagWords = (row: Row) =>
  (row.flags as string[])
    .filter((flag) => !unprinted.has(flag))
    .map((flag) => flag.slice(2).toLowerCase())
    .sort()
    .join(',');

const PROTOCOLS_OF_LSFD: Partial<Record<DescriptorType, string>> = {
  udp: 'UDP',
  udplite: 'UDP-Lite',
  raw: 'RAW',
  packet: 'PACKET',
  vsock: 'AF_VSOCK',
  netlink: 'NETLINK',
};
function protocolOfLsfd(row: Row): string | undefined {
  if (row.type === 'tcp') return row.family === 6 ? 'TCPv6' : 'TCP';
  if (row.type === 'unix') return row.socketType === 'stream' ? 'UNIX-STREAM' : 'UNIX';
  return PROTOCOLS_OF_LSFD[row.type];
}

/** Files without a path: as readlink(2) has them, sockets by their protocol. */
const NAMES_OF_LSFD: Partial<Record<DescriptorType, (row: Row) => string | undefined>> = {
  pipe: ({ inode }) => `pipe:[${inode}]`,
  namespace: ({ name, inode }) => `${name}:[${inode}]`,
  memfd: ({ name }) => `/memfd:${name} (deleted)`,
  eventfd: () => 'anon_inode:[eventfd]',
  epoll: () => 'anon_inode:[eventpoll]',
  timerfd: () => 'anon_inode:[timerfd]',
  signalfd: () => 'anon_inode:[signalfd]',
  inotify: () => 'anon_inode:inotify',
  fanotify: () => 'anon_inode:[fanotify]',
  io_uring: () => 'anon_inode:[io_uring]',
  userfaultfd: () => 'anon_inode:[userfaultfd]',
  perf: () => 'anon_inode:[perf_event]',
};
for (const type of NAMED) NAMES_OF_LSFD[type] = linkName;
for (const type of SOCKETS)
  NAMES_OF_LSFD[type] = (row) => protocolOfLsfd(row) && `${protocolOfLsfd(row)}:[${row.inode}]`;

export const LSFD: readonly Equivalence[] = [
  { ours: 'fd', theirs: 'ASSOC', of: text('fd') },
  { ours: 'fd', theirs: 'FD', of: text('fd') },
  { ours: 'command', theirs: 'COMMAND', of: text('command') },
  { ours: 'pid', theirs: 'PID', of: text('pid') },
  { ours: 'tid', theirs: 'TID', of: text('tid') },
  { ours: 'processUid', theirs: 'UID', of: text('processUid') },
  { ours: 'deleted', theirs: 'DELETED', of: text('deleted') },
  { ours: 'dev', theirs: 'DEV', of: text('dev') },
  { ours: 'rdev', theirs: 'RDEV', of: text('rdev') },
  { ours: 'rdev', theirs: 'MAJ:MIN', of: text('rdev') },
  {
    ours: 'type',
    theirs: 'DEVTYPE',
    of: ({ type }) => ({ char: 'char', block: 'blk' })[String(type)] ?? 'nodev',
    only: not('unknown'),
  },
  { ours: 'inode', theirs: 'INODE', of: text('inode') },
  { ours: 'nlink', theirs: 'NLINK', of: text('nlink') },
  { ours: 'size', theirs: 'SIZE', of: text('size') },
  { ours: 'pos', theirs: 'POS', of: text('pos') },
  { ours: 'mountId', theirs: 'MNTID', of: text('mountId') },
  { ours: 'uid', theirs: 'FUID', of: text('uid') },
  { ours: 'flags', theirs: 'FLAGS', of: flagWords, read: wordsOfLsfd },
  {
    ours: 'access',
    theirs: 'MODE',
    of: mapped({ r: 'r--', w: '-w-', rw: 'rw-', '-': '---' }, 'access'),
  },
  { ours: 'type', theirs: 'TYPE', of: mapped(TYPES_OF_LSFD, 'type') },
  { ours: 'type', theirs: 'PROTONAME', of: protocolOfLsfd, only: is(...SOCKETS) },
  {
    ours: 'type',
    theirs: 'NAME',
    of: (row) => NAMES_OF_LSFD[row.type]?.(row),
    read: onceDecoded,
  },
];

/** In JSON, bytes above 0x7f are written as they are or as characters of that number, by its version. */
function onceDecoded(name: string): string {
  const bytes = Buffer.from(name, 'latin1');
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes) ? bytes.toString('utf8') : name;
}

/** `_tmpfile`: 2.38 looks at the bit of O_TMPFILE that is not O_DIRECTORY's, and at the other alone. */
function wordsOfLsfd(words: string): string {
  return words
    .split(',')
    .filter((word) => word !== '' && word !== '_tmpfile')
    .sort()
    .join(',');
}
