/** Sockets of all families but IP: struct fdinfo_socket of bpf/fdinfo.h. */

import * as abi from '../layout.gen.ts';
import { type Access, DescriptorBase } from './descriptor.ts';
import { type SocketState, STATES, shutdownOf } from './socket-states.ts';
import { textOf } from './text.ts';

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
