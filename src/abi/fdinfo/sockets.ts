/** Sockets: struct fdinfo_inet and struct fdinfo_socket of bpf/fdinfo.h. */

import * as abi from '../layout.gen.ts';
import { type Access, DescriptorBase } from './descriptor.ts';
import { textOf } from './text.ts';
import type { DescriptorType } from './types.ts';

/** include/net/tcp_states.h, as ss(8) and netstat(8) print them. */
const STATES = [
  undefined,
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
  'BOUND_INACTIVE',
] as const;
export type SocketState = Exclude<(typeof STATES)[number], undefined>;

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

/** include/uapi/linux/netlink.h */
const NETLINK_PROTOCOLS = [
  'route',
  'unused',
  'usersock',
  'firewall',
  'sock_diag',
  'nflog',
  'xfrm',
  'selinux',
  'iscsi',
  'audit',
  'fib_lookup',
  'connector',
  'netfilter',
  'ip6_fw',
  'dnrtmsg',
  'kobject_uevent',
  'generic',
  undefined,
  'scsitransport',
  'ecryptfs',
  'rdma',
  'crypto',
  'smc',
];

/** include/linux/net.h */
const SOCKET_TYPES = [undefined, 'stream', 'dgram', 'raw', 'rdm', 'seqpacket', 'dccp'];
SOCKET_TYPES[10] = 'packet';

const AF_VSOCK_ANY = 0xffff_ffff;

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

function shutdownOf(valid: number): Access | undefined {
  if ((valid & abi.FDINFO_KNOWS_SHUTDOWN) === 0) return undefined;
  const read = valid & abi.FDINFO_SHUT_READ ? 'r' : '';
  const write = valid & abi.FDINFO_SHUT_WRITE ? 'w' : '';
  return (read + write || '-') as Access;
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

/** What sockets of all other families share. */
class OtherSocket extends DescriptorBase {
  protected socket(): number {
    return this.facts(abi.FDINFO_A_SOCKET, abi.SIZEOF_FDINFO_SOCKET);
  }

  /** Offset of the facts that only this family has, 0 when they were not read. */
  protected detail(valid = abi.FDINFO_KNOWS_DETAIL): number {
    const at = this.socket();
    return at !== 0 && this.chunk.word(at + abi.FDINFO_SOCKET_VALID) & valid ? at : 0;
  }

  /** `'stream'`, `'dgram'`, … */
  get socketType(): string | undefined {
    const at = this.socket();
    return at === 0 ? undefined : SOCKET_TYPES[this.chunk.u16(at + abi.FDINFO_SOCKET_SOCKET_TYPE)];
  }

  /** What shutdown(2), or the other end, has closed: receiving, sending, both, or neither. */
  get shutdown(): Access | undefined {
    const at = this.socket();
    return at === 0 ? undefined : shutdownOf(this.chunk.word(at + abi.FDINFO_SOCKET_VALID));
  }

  /** Inode of its network namespace. */
  get netns(): number | undefined {
    const at = this.detail(abi.FDINFO_KNOWS_NETNS);
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_SOCKET_NETNS);
  }
}

export class UnixSocketDescriptor extends OtherSocket {
  override get type() {
    return super.type as 'unix';
  }

  private get nameBytes(): Uint8Array | undefined {
    return this.chunk.payload(this.at, abi.FDINFO_A_NAME);
  }

  /** The path that it is bound to, as bind(2) was given it; of its peer's side it is not known. */
  override get path(): string | undefined {
    const name = this.nameBytes;
    if (!name || name[0] === 0) return undefined;
    const nul = name.indexOf(0);
    return textOf(nul < 0 ? name : name.subarray(0, nul));
  }

  override get pathBytes(): Uint8Array | undefined {
    const name = this.nameBytes;
    if (!name || name[0] === 0) return undefined;
    const nul = name.indexOf(0);
    return nul < 0 ? name : name.subarray(0, nul);
  }

  /** A name without a file, without its leading NUL; further NULs are part of it. */
  get abstract(): string | undefined {
    const name = this.nameBytes;
    return name && name[0] === 0 ? textOf(name.subarray(1)) : undefined;
  }

  get state(): 'LISTEN' | 'CONNECTED' | 'UNCONNECTED' | undefined {
    const at = this.socket();
    if (at === 0) return undefined;
    const state = this.chunk.word(at + abi.FDINFO_SOCKET_STATE);
    return state === 10 ? 'LISTEN' : state === 1 ? 'CONNECTED' : 'UNCONNECTED';
  }

  /** Inode of the socket at the other end; 0 when there is none, or it waits to be accepted. */
  get peer(): number | bigint | undefined {
    const at = this.detail(abi.FDINFO_KNOWS_PEER);
    return at === 0 ? undefined : this.chunk.long(at + abi.FDINFO_SOCKET_PEER);
  }

  protected override get ownMembers(): readonly string[] {
    return ['socketType', 'state', 'abstract', 'peer', 'shutdown', 'netns'];
  }
}

export class NetlinkSocketDescriptor extends OtherSocket {
  override get type() {
    return super.type as 'netlink';
  }

  /** `'route'`, `'sock_diag'`, … */
  get protocol(): string | undefined {
    const at = this.socket();
    if (at === 0) return undefined;
    const number = this.chunk.word(at + abi.FDINFO_SOCKET_PROTOCOL);
    return NETLINK_PROTOCOLS[number] ?? String(number);
  }

  get portId(): number | undefined {
    const at = this.detail();
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_SOCKET_LOCAL_PORT);
  }

  /** The first 32 multicast groups, a bit each. */
  get groups(): number | undefined {
    const at = this.detail();
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_SOCKET_GROUPS);
  }

  protected override get ownMembers(): readonly string[] {
    return ['socketType', 'protocol', 'portId', 'groups', 'shutdown', 'netns'];
  }
}

export class PacketSocketDescriptor extends OtherSocket {
  override get type() {
    return super.type as 'packet';
  }

  /** Ethernet protocol, as in include/uapi/linux/if_ether.h: 3 is all. */
  get protocol(): number | undefined {
    const at = this.detail();
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_SOCKET_PROTOCOL);
  }

  /** Index of the interface that it is bound to; 0 for all. */
  get interface(): number | undefined {
    const at = this.detail();
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_SOCKET_INTERFACE);
  }

  protected override get ownMembers(): readonly string[] {
    return ['socketType', 'protocol', 'interface', 'shutdown', 'netns'];
  }
}

/** A context and a port of AF_VSOCK; undefined stands for any. */
export interface VsockAddress {
  readonly cid?: number;
  readonly port?: number;
}

export class VsockSocketDescriptor extends OtherSocket {
  override get type() {
    return super.type as 'vsock';
  }

  private address(cid: number, port: number): VsockAddress | undefined {
    const at = this.detail();
    if (at === 0) return undefined;
    const numbers = { cid: this.chunk.word(at + cid), port: this.chunk.word(at + port) };
    return Object.fromEntries(Object.entries(numbers).filter(([, number]) => number !== AF_VSOCK_ANY));
  }

  get local(): VsockAddress | undefined {
    return this.address(abi.FDINFO_SOCKET_LOCAL_CID, abi.FDINFO_SOCKET_LOCAL_PORT);
  }

  get remote(): VsockAddress | undefined {
    return this.address(abi.FDINFO_SOCKET_REMOTE_CID, abi.FDINFO_SOCKET_REMOTE_PORT);
  }

  get state(): SocketState | undefined {
    const at = this.socket();
    return at === 0 ? undefined : STATES[this.chunk.word(at + abi.FDINFO_SOCKET_STATE)];
  }

  protected override get ownMembers(): readonly string[] {
    return ['socketType', 'local', 'remote', 'state', 'shutdown', 'netns'];
  }
}

/** A socket of any other family, or the place of one in a directory (O_PATH). */
export class SocketDescriptor extends OtherSocket {
  override get type() {
    return super.type as 'socket';
  }

  /** AF_* as a number. */
  get family(): number | undefined {
    const at = this.socket();
    return at === 0 ? undefined : this.chunk.u16(at + abi.FDINFO_SOCKET_FAMILY);
  }

  get protocol(): number | undefined {
    const at = this.socket();
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_SOCKET_PROTOCOL);
  }

  protected override get ownMembers(): readonly string[] {
    return ['family', 'socketType', 'protocol', 'shutdown', 'netns'];
  }
}

export const isOverIp = (descriptor: { type: DescriptorType }): descriptor is InetSocketDescriptor =>
  descriptor instanceof InetSocketDescriptor;
