/** Columns of ss(8). UDP-Lite, netlink and vsock it shows without their processes, or not. */

import { type Address, type Equivalence, INET, is, mapped, type Row, text } from './table.ts';

const NETIDS: Readonly<Record<string, string>> = {
  tcp: 'tcp',
  udp: 'udp',
  raw: 'raw',
  'unix stream': 'u_str',
  'unix dgram': 'u_dgr',
  'packet raw': 'p_raw',
  'packet dgram': 'p_dgr',
};
const STATES: Readonly<Record<string, string>> = {
  LISTEN: 'LISTEN',
  ESTABLISHED: 'ESTAB',
  CONNECTED: 'ESTAB',
  CLOSE: 'UNCONN',
  UNCONNECTED: 'UNCONN',
};
const STAR = '*';
/** The port of a raw socket is its protocol there. */
const IP_PROTOCOLS: Readonly<Record<string, string>> = { icmp: '1' };

function endOfSs(row: Row, end: 'local' | 'remote'): string | undefined {
  const { address: host, port } = row[end] as Address;
  const raw = row.type === 'raw' && end === 'local' ? IP_PROTOCOLS[String(row.protocol)] : undefined;
  return `${row.family === 6 ? `[${host}]` : host} ${raw ?? (port || STAR)}`;
}
const localOfUnix = (row: Row) =>
  `${row.path ?? (row.abstract === undefined ? STAR : `@${row.abstract}`)} ${row.inode}`;

export const SS: readonly Equivalence[] = [
  {
    ours: 'type',
    theirs: 'Netid',
    of: (row) => NETIDS[INET.includes(row.type) ? row.type : `${row.type} ${row.socketType}`],
  },
  { ours: 'state', theirs: 'State', of: mapped(STATES, 'state') },
  { ours: 'receiveQueue', theirs: 'Recv-Q', of: text('receiveQueue') },
  { ours: 'sendQueue', theirs: 'Send-Q', of: text('sendQueue') },
  { ours: 'local', theirs: 'Local', of: (row) => endOfSs(row, 'local'), only: is(...INET) },
  { ours: 'remote', theirs: 'Peer', of: (row) => endOfSs(row, 'remote'), only: is(...INET) },
  { ours: 'type', theirs: 'Local', of: localOfUnix, only: is('unix') },
  { ours: 'peer', theirs: 'Peer', of: ({ peer }) => `* ${peer}`, only: is('unix') },
  { ours: 'inode', theirs: 'ino', of: text('inode'), only: is('tcp', 'udp', 'packet') },
];
