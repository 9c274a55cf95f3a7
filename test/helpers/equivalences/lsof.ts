/** Fields of lsof(8). */

import type { DescriptorType } from '../../../src/index.ts';
import {
  type Address,
  ANONYMOUS,
  bits,
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

/** safestrprt() of lsof, in the C locale. */
const printed = (name: string) =>
  [...name]
    .map((character) => {
      const code = character.charCodeAt(0);
      if (code === 10) return '\\n';
      if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
      return code < 0x7f ? character : `\\x${code.toString(16)}`;
    })
    .join('');

const TYPES_OF_LSOF: Partial<Record<DescriptorType, string>> = {
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
  raw: 'raw',
  packet: 'pack',
  vsock: 'sock',
  unix: 'unix',
  netlink: 'netlink',
  pidfd: 'a_inode',
};
for (const type of ANONYMOUS) TYPES_OF_LSOF[type] = 'a_inode';

const address = (row: Row, end: 'local' | 'remote') => {
  const { address: host, port } = row[end] as Address;
  return `${row.family === 6 ? `[${host}]` : host}:${port}`;
};
const connected = (row: Row) => (row.remote as Address).port !== 0;
const INET_OF_LSOF = is('tcp', 'udp', 'udplite');

function nameOfLsof(row: Row): string | undefined {
  if (NAMED.includes(row.type)) return printed(linkName(row));
  if (row.type === 'pipe') return 'pipe';
  if (row.type === 'namespace') return String(row.name);
  if (row.type === 'memfd') return `/memfd:${row.name} (deleted)`;
  if (row.type === 'pidfd') return `[pidfd:${row.target}]`;
  if (row.type === 'eventfd' && row.id !== undefined) return `[eventfd:${row.id}]`;
  if (row.type === 'epoll')
    return `[eventpoll:${(row.targets as { fd: number }[])
      .map(({ fd }) => fd)
      .sort((a, b) => a - b)
      .join(',')}]`;
  if (row.type === 'netlink') return String(row.protocol).toUpperCase();
  if (!INET_OF_LSOF(row)) return undefined;
  return address(row, 'local') + (connected(row) ? `->${address(row, 'remote')}` : '');
}

/** The kernel keeps them in the order of addresses. */
const sortedTargets = (name: string) =>
  name.replace(
    /^\[eventpoll:(.*)\]$/,
    (_, list: string) =>
      `[eventpoll:${list
        .split(',')
        .sort((a, b) => Number(a) - Number(b))
        .join(',')}]`,
  );

/** Letters of lsof(8), LOCKS: capitals for a whole file. */
function lockLetter(row: Row): string {
  const [lock] = (row.locks ?? []) as { type: string; start: number; end?: number }[];
  if (!lock) return ' ';
  const letter = lock.type === 'write' ? 'w' : 'r';
  return lock.start === 0 && lock.end === undefined ? letter.toUpperCase() : letter;
}

const device = (text: string) => {
  const [major = 0, minor = 0] = text.split(':').map(Number);
  return major * 256 + minor;
};

export const LSOF: readonly Equivalence[] = [
  { ours: 'pid', theirs: 'p', of: text('pid') },
  { ours: 'command', theirs: 'c', of: text('command') },
  { ours: 'processUid', theirs: 'u', of: text('processUid') },
  { ours: 'fd', theirs: 'f', of: text('fd') },
  // A descriptor of O_PATH allows neither; lsof calls it one for both.
  {
    ours: 'access',
    theirs: 'a',
    of: mapped({ r: 'r', w: 'w', rw: 'u' }, 'access'),
    only: ({ access }) => access !== '-',
  },
  {
    ours: 'flags',
    theirs: 'G',
    of: bits,
    read: (both) => Number(both.split(';')[0]),
  },
  { ours: 'type', theirs: 'l', of: lockLetter },
  {
    ours: 'type',
    theirs: 't',
    of: (row) => (INET_OF_LSOF(row) ? `IPv${row.family}` : TYPES_OF_LSOF[row.type]),
  },
  { ours: 'dev', theirs: 'D', of: ({ dev }) => device(String(dev)), read: Number, only: not(...SOCKETS) },
  { ours: 'inode', theirs: 'i', of: text('inode'), only: not('tcp', 'udp', 'udplite', 'packet') },
  { ours: 'inode', theirs: 'd', of: text('inode'), only: is('tcp', 'udp', 'udplite', 'packet') },
  { ours: 'nlink', theirs: 'k', of: text('nlink'), only: not(...SOCKETS) },
  { ours: 'size', theirs: 's', of: text('size') },
  { ours: 'type', theirs: 'n', of: nameOfLsof, read: sortedTargets },
  { ours: 'protocol', theirs: 'P', of: ({ protocol }) => String(protocol).toUpperCase(), only: INET_OF_LSOF },
  { ours: 'state', theirs: 'TST', of: text('state'), only: is('tcp') },
  { ours: 'receiveQueue', theirs: 'TQR', of: text('receiveQueue'), only: INET_OF_LSOF },
  // Of a listening socket the limit of its queue here, as ss has it; 0 in /proc/net/tcp.
  {
    ours: 'sendQueue',
    theirs: 'TQS',
    of: text('sendQueue'),
    only: (row) => INET_OF_LSOF(row) && row.state !== 'LISTEN',
  },
];
