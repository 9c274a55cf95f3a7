/** Sockets over IP: struct fdinfo_inet of bpf/fdinfo.h. */

import * as abi from '../layout.gen.ts';
import { type Access, DescriptorBase } from './descriptor.ts';
import { type SocketState, STATES, shutdownOf } from './socket-states.ts';

/** include/uapi/linux/in.h */
const IP_PROTOCOLS = new Map([
  [0, 'ip'],
  [1, 'icmp'],
  [2, 'igmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [41, 'ipv6'],
  [47, 'gre'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'icmpv6'],
  [103, 'pim'],
  [132, 'sctp'],
  [136, 'udplite'],
  [255, 'raw'],
  [262, 'mptcp'],
]);

function ipv4(bytes: Uint8Array): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** RFC 5952. */
function ipv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number),
  );
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return `::ffff:${ipv4(bytes.subarray(12))}`;
  let best = 0;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      best = i;
      length = end - i;
    }
    i = Math.max(i, end - 1);
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return length > 1 ? `${hex(0, best)}::${hex(best + length, 8)}` : hex(0, 8);
}

/** An address without a port. */
export interface InetAddress {
  readonly address: string;
  readonly port: number;
}

/** TCP, UDP, UDP-Lite, raw and ping sockets, and others over IP (`type` is `socket` there). */
export class InetSocketDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'tcp' | 'udp' | 'udplite' | 'raw' | 'ping' | 'socket';
  }

  private own(): number {
    return this.facts(abi.FDINFO_A_INET, abi.SIZEOF_FDINFO_INET);
  }

  private address(bytes: number, port: number): InetAddress | undefined {
    const at = this.own();
    if (at === 0) return undefined;
    const v4 = this.chunk.u16(at + abi.FDINFO_INET_FAMILY) === 4;
    const address = this.chunk.u8.subarray(at + bytes, at + bytes + 16);
    // Of a raw socket the port is its protocol.
    const number = this.type === 'raw' ? 0 : this.chunk.u16(at + port);
    return { address: v4 ? ipv4(address) : ipv6(address), port: number };
  }

  /** Of IP. */
  get family(): 4 | 6 | undefined {
    const at = this.own();
    return at === 0 ? undefined : (this.chunk.u16(at + abi.FDINFO_INET_FAMILY) as 4 | 6);
  }

  get protocol(): string | undefined {
    const at = this.own();
    if (at === 0) return undefined;
    const number = this.chunk.u16(at + abi.FDINFO_INET_PROTOCOL);
    return IP_PROTOCOLS.get(number) ?? String(number);
  }

  get local(): InetAddress | undefined {
    return this.address(abi.FDINFO_INET_LOCAL, abi.FDINFO_INET_LOCAL_PORT);
  }

  /** The other end; address and port are 0 for a socket that is not connected. */
  get remote(): InetAddress | undefined {
    return this.address(abi.FDINFO_INET_REMOTE, abi.FDINFO_INET_REMOTE_PORT);
  }

  get state(): SocketState | undefined {
    const at = this.own();
    return at === 0 ? undefined : STATES[this.chunk.u16(at + abi.FDINFO_INET_STATE)];
  }

  private queue(offset: number, known: number): number | undefined {
    const at = this.own();
    if (at === 0 || (this.chunk.u16(at + abi.FDINFO_INET_VALID) & known) === 0) return undefined;
    return this.chunk.word(at + offset);
  }

  /** Bytes; of a listener, connections that wait for accept(2). As Recv-Q of ss(8). */
  get receiveQueue(): number | undefined {
    return this.queue(abi.FDINFO_INET_RECEIVE_QUEUE, abi.FDINFO_KNOWS_RECEIVE);
  }

  /** Bytes; of a listener, the most that may wait. As Send-Q of ss(8). */
  get sendQueue(): number | undefined {
    return this.queue(abi.FDINFO_INET_SEND_QUEUE, abi.FDINFO_KNOWS_SEND);
  }

  /** What shutdown(2), or the other end, has closed: receiving, sending, both, or neither. */
  get shutdown(): Access | undefined {
    const at = this.own();
    return at === 0 ? undefined : shutdownOf(this.chunk.u16(at + abi.FDINFO_INET_VALID));
  }

  /** Inode of its network namespace. */
  get netns(): number | undefined {
    const at = this.own();
    return (at && this.chunk.word(at + abi.FDINFO_INET_NETNS)) || undefined;
  }

  /** Index of the interface that it is bound to. */
  get interface(): number | undefined {
    const at = this.own();
    return (at && this.chunk.word(at + abi.FDINFO_INET_INTERFACE)) || undefined;
  }

  protected override get ownMembers(): readonly string[] {
    return INET_MEMBERS;
  }
}

const INET_MEMBERS = [
  'family',
  'protocol',
  'local',
  'remote',
  'state',
  'receiveQueue',
  'sendQueue',
  'shutdown',
  'netns',
  'interface',
];
