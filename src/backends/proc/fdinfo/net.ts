/** Sockets by inode, out of the text of files in /proc/PID/net. */

export interface InetSocket {
  readonly kind: 'inet';
  readonly type: 'tcp' | 'udp' | 'udplite' | 'raw' | 'ping';
  readonly family: 4 | 6;
  readonly local: Uint8Array;
  readonly localPort: number;
  readonly remote: Uint8Array;
  readonly remotePort: number;
  readonly state: number;
  readonly receiveQueue: number;
  readonly sendQueue: number;
  /** False: they are those of other sockets, its flows. */
  readonly hasQueues?: boolean;
  /** Of a listener too: /proc/net has 0 there. */
  readonly hasBacklog?: boolean;
  readonly protocol: number;
  /** That it is bound to. */
  readonly interface?: number;
  /** RCV_SHUTDOWN, SEND_SHUTDOWN; of sock_diag(7) alone. */
  readonly shutdown?: number;
}

export interface OtherSocket {
  readonly kind: 'other';
  /** RCV_SHUTDOWN, SEND_SHUTDOWN; of sock_diag(7) alone. */
  readonly shutdown?: number;
  readonly type: 'unix' | 'netlink' | 'packet' | 'vsock';
  readonly family: number;
  readonly socketType: number;
  readonly protocol: number;
  readonly state: number;
  readonly name?: Uint8Array;
  readonly portId?: number;
  readonly groups?: number;
  readonly interface?: number;
  /** Unix: inode of the other end, 0 for none. */
  readonly peer?: number;
  /** Context and port here, context and port there. */
  readonly vsock?: readonly number[];
}

export type NetSocket = InetSocket | OtherSocket;

const PROTOCOLS = { tcp: 6, udp: 17, udplite: 136, raw: 255, icmp: 1 } as const;
const TYPES = { tcp: 'tcp', udp: 'udp', udplite: 'udplite', raw: 'raw', icmp: 'ping' } as const;
const TCP_LISTEN = 10;
export const AF_UNIX = 1;
const AF_NETLINK = 16;
const AF_PACKET = 17;
/** include/uapi/linux/net.h: the socket listens */
const SO_ACCEPTCON = 1 << 16;
const SS_CONNECTED = 3;

/** Words of the machine's own order, which the kernel prints as numbers: include/net/ip.h. */
function addressOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let word = 0; word * 8 < hex.length; word++) {
    for (let i = 0; i < 4; i++)
      bytes[word * 4 + i] = Number.parseInt(hex.slice(word * 8 + 6 - 2 * i, word * 8 + 8 - 2 * i), 16);
  }
  return bytes;
}

function addInet(
  sockets: Map<number, NetSocket>,
  text: string,
  table: keyof typeof PROTOCOLS,
  family: 4 | 6,
) {
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local, remote, state, queues] = fields;
    const inode = Number(fields[9]);
    if (!local || !remote || !state || !queues || !(inode > 0)) continue;
    const [localAddress = '', localPort = ''] = local.split(':');
    const [remoteAddress = '', remotePort = ''] = remote.split(':');
    const [send = '0', receive = '0'] = queues.split(':');
    const raw = table === 'raw';
    const protocol = raw
      ? Number.parseInt(localPort, 16)
      : family === 6 && table === 'icmp'
        ? 58
        : PROTOCOLS[table];
    sockets.set(inode, {
      kind: 'inet',
      type: TYPES[table],
      family,
      local: addressOf(localAddress),
      localPort: Number.parseInt(localPort, 16),
      remote: addressOf(remoteAddress),
      remotePort: Number.parseInt(remotePort, 16),
      state: Number.parseInt(state, 16),
      receiveQueue: Number.parseInt(receive, 16),
      sendQueue: Number.parseInt(send, 16),
      protocol,
    });
  }
}

function addUnix(sockets: Map<number, NetSocket>, text: string) {
  for (const line of text.split('\n').slice(1)) {
    const match = /^\S+ \S+ \S+ (\S+) (\S+) (\S+) +(\d+)(?: (.*))?$/.exec(line);
    if (!match) continue;
    const [, flags = '0', type = '0', state = '0', inode, path] = match;
    const listens = (Number.parseInt(flags, 16) & SO_ACCEPTCON) !== 0;
    const connected = Number.parseInt(state, 16) === SS_CONNECTED;
    sockets.set(Number(inode), {
      kind: 'other',
      type: 'unix',
      family: AF_UNIX,
      socketType: Number.parseInt(type, 16),
      protocol: 0,
      state: listens ? TCP_LISTEN : connected ? 1 : 7,
      // NULs are printed as @, the first of an abstract name too: unix_seq_show()
      ...(path ? { name: Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path, 'latin1') } : {}),
    });
  }
}

function addNetlink(sockets: Map<number, NetSocket>, text: string) {
  for (const line of text.split('\n').slice(1)) {
    const [, protocol, portId, groups, , , , , , inode] = line.trim().split(/\s+/);
    if (!inode) continue;
    sockets.set(Number(inode), {
      kind: 'other',
      type: 'netlink',
      family: AF_NETLINK,
      socketType: 3,
      protocol: Number(protocol),
      state: 7,
      portId: Number(portId) >>> 0,
      groups: Number.parseInt(groups as string, 16),
    });
  }
}

function addPacket(sockets: Map<number, NetSocket>, text: string) {
  for (const line of text.split('\n').slice(1)) {
    const [, , type, protocol, iface, , , , inode] = line.trim().split(/\s+/);
    if (!inode) continue;
    sockets.set(Number(inode), {
      kind: 'other',
      type: 'packet',
      family: AF_PACKET,
      socketType: Number(type),
      protocol: Number.parseInt(protocol as string, 16),
      state: 7,
      interface: Number(iface),
    });
  }
}

/** By name of the file in /proc/net, in an order that has what is asked for most first. */
export const TABLES: ReadonlyMap<string, (sockets: Map<number, NetSocket>, text: string) => void> = new Map([
  ['unix', addUnix],
  ...(['tcp', 'udp', 'udplite', 'raw', 'icmp'] as const).flatMap((table) =>
    ([4, 6] as const).map(
      (family) =>
        [
          family === 4 ? table : `${table}6`,
          (sockets: Map<number, NetSocket>, text: string) => addInet(sockets, text, table, family),
        ] as const,
    ),
  ),
  ['netlink', addNetlink],
  ['packet', addPacket],
]);
