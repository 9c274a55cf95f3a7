/**
 * Sockets of the caller's own network namespace by sock_diag(7): what /proc/net has, and what
 * it has not (peers and whole names of unix sockets, backlogs, interfaces, vsock).
 */

import { close, openSocket, read, write } from '../../../sys/calls.ts';
import type { Door } from '../../../sys/door.ts';
import { Memory } from '../../../sys/memory.ts';
import { AF_UNIX, type NetSocket } from './net.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_VSOCK = 40;
const SOCK_RAW = 3;
const NETLINK_SOCK_DIAG = 4;
/** include/uapi/linux/netlink.h */
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST_DUMP = 0x301;
const SIZEOF_NLMSGHDR = 16;
/** include/uapi/linux/sock_diag.h */
const SOCK_DIAG_BY_FAMILY = 20;
/** include/uapi/linux/unix_diag.h */
const UDIAG_SHOW_NAME_AND_PEER = 1 | 4;
const UNIX_DIAG_NAME = 0;
const UNIX_DIAG_PEER = 2;
const UNIX_DIAG_SHUTDOWN = 6;
const UNIX_DIAG_MSG = 16;
/** include/uapi/linux/inet_diag.h */
const INET_DIAG_REQ = 56;
const INET_DIAG_REQ_PROTOCOL = 3;
const INET_DIAG_SHUTDOWN = 8;
const INET_DIAG_MSG = 72;
const IPPROTO_MPTCP = 262;
/** RFC 3692: one that no kernel has a table of, for those that do not know the attribute (before 5.9). */
const NO_PROTOCOL = 254;
/** A part of a dump is never longer: netlink_dump() of net/netlink/af_netlink.c */
const PART = 32 * 1024;

/** What a dump is about, and what one of its messages says. */
interface Dump {
  request(): Uint8Array;
  parse(message: DataView): [inode: number, socket: NetSocket] | undefined;
}

const bytesAt = (view: DataView, at: number, length: number) =>
  new Uint8Array(view.buffer, view.byteOffset + at, length).slice();

/** Attributes behind the fixed part of a message, by type: where the payload begins, and its length. */
function attributesOf(message: DataView, fixed: number): Map<number, readonly [at: number, length: number]> {
  const found = new Map<number, readonly [number, number]>();
  for (let at = fixed; at + 4 <= message.byteLength; ) {
    const length = message.getUint16(at, true);
    if (length < 4 || at + length > message.byteLength) break;
    found.set(message.getUint16(at + 2, true), [at + 4, length - 4]);
    at += (length + 3) & ~3;
  }
  return found;
}

/** A byte that an attribute may have. */
function byteOf(message: DataView, attribute: readonly [at: number, length: number] | undefined) {
  return attribute && attribute[1] > 0 ? { shutdown: message.getUint8(attribute[0]) } : {};
}

/** include/uapi/linux/inet_diag.h: struct inet_diag_req_v2, struct inet_diag_msg */
function inet(type: 'tcp' | 'udp' | 'udplite', family: 4 | 6, protocol: number): Dump {
  return {
    request() {
      const view = new DataView(new ArrayBuffer(INET_DIAG_REQ + 8));
      view.setUint8(0, family === 4 ? AF_INET : AF_INET6);
      view.setUint8(1, protocol <= 0xff ? protocol : NO_PROTOCOL);
      view.setUint32(4, 0xffff_ffff, true);
      if (protocol <= 0xff) return new Uint8Array(view.buffer, 0, INET_DIAG_REQ);
      // More than the byte has room for: inet_diag_get_protocol() of net/ipv4/inet_diag.c
      view.setUint16(INET_DIAG_REQ, 8, true);
      view.setUint16(INET_DIAG_REQ + 2, INET_DIAG_REQ_PROTOCOL, true);
      view.setUint32(INET_DIAG_REQ + 4, protocol, true);
      return new Uint8Array(view.buffer);
    },
    parse(message) {
      if (message.byteLength < INET_DIAG_MSG) return undefined;
      const socket: NetSocket = {
        kind: 'inet',
        type,
        family,
        protocol,
        state: message.getUint8(1),
        localPort: message.getUint16(4),
        remotePort: message.getUint16(6),
        local: bytesAt(message, 8, 16),
        remote: bytesAt(message, 24, 16),
        interface: message.getUint32(40, true),
        receiveQueue: message.getUint32(56, true),
        sendQueue: message.getUint32(60, true),
        hasBacklog: true,
        hasQueues: protocol !== IPPROTO_MPTCP,
        ...byteOf(message, attributesOf(message, INET_DIAG_MSG).get(INET_DIAG_SHUTDOWN)),
      };
      return [message.getUint32(68, true), socket];
    },
  };
}

/** struct unix_diag_req, struct unix_diag_msg */
const unix: Dump = {
  request() {
    const view = new DataView(new ArrayBuffer(24));
    view.setUint8(0, AF_UNIX);
    view.setUint32(4, 0xffff_ffff, true);
    view.setUint32(12, UDIAG_SHOW_NAME_AND_PEER, true);
    return new Uint8Array(view.buffer);
  },
  parse(message) {
    if (message.byteLength < UNIX_DIAG_MSG) return undefined;
    const attributes = attributesOf(message, UNIX_DIAG_MSG);
    const [nameAt, nameLength] = attributes.get(UNIX_DIAG_NAME) ?? [0, 0];
    const [peerAt, peerLength] = attributes.get(UNIX_DIAG_PEER) ?? [0, 0];
    const socket: NetSocket = {
      kind: 'other',
      type: 'unix',
      family: AF_UNIX,
      socketType: message.getUint8(1),
      protocol: 0,
      state: message.getUint8(2),
      peer: peerLength >= 4 ? message.getUint32(peerAt, true) : 0,
      ...(nameLength > 0 ? { name: bytesAt(message, nameAt, nameLength) } : {}),
      ...byteOf(message, attributes.get(UNIX_DIAG_SHUTDOWN)),
    };
    return [message.getUint32(4, true), socket];
  },
};

/** include/uapi/linux/vm_sockets_diag.h: struct vsock_diag_req, struct vsock_diag_msg */
const vsock: Dump = {
  request() {
    const bytes = new Uint8Array(24);
    bytes[0] = AF_VSOCK;
    return bytes.fill(0xff, 4, 8);
  },
  parse(message) {
    if (message.byteLength < 32) return undefined;
    const socket: NetSocket = {
      kind: 'other',
      type: 'vsock',
      family: AF_VSOCK,
      socketType: message.getUint8(1),
      protocol: 0,
      state: message.getUint8(2),
      vsock: [4, 8, 12, 16].map((at) => message.getUint32(at, true)),
    };
    return [message.getUint32(20, true), socket];
  },
};

/** By the files of /proc/net that they stand for, where there is one. */
const DUMPS: ReadonlyMap<string, Dump> = new Map([
  ['tcp', inet('tcp', 4, 6)],
  ['tcp6', inet('tcp', 6, 6)],
  ['udp', inet('udp', 4, 17)],
  ['udp6', inet('udp', 6, 17)],
  ['udplite', inet('udplite', 4, 136)],
  ['udplite6', inet('udplite', 6, 136)],
  ['unix', unix],
  ['vsock', vsock],
  ['mptcp', inet('tcp', 4, IPPROTO_MPTCP)],
  ['mptcp6', inet('tcp', 6, IPPROTO_MPTCP)],
]);

/** Tables of Multipath TCP, for which /proc/net has no files. */
export const MULTIPATH = ['mptcp', 'mptcp6'];

/**
 * Looks at the messages of one part of a dump.
 *
 * @returns true at the end of the dump, a negative errno where it failed
 */
export function readPart(table: string, part: Uint8Array, sockets: Map<number, NetSocket>): boolean | number {
  const dump = DUMPS.get(table);
  const view = new DataView(part.buffer, part.byteOffset, part.length);
  for (let at = 0; at + SIZEOF_NLMSGHDR <= part.length; ) {
    const length = view.getUint32(at, true);
    if (length < SIZEOF_NLMSGHDR || at + length > part.length) return true;
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_DONE) return true;
    if (type === NLMSG_ERROR)
      return length >= SIZEOF_NLMSGHDR + 4 ? view.getInt32(at + SIZEOF_NLMSGHDR, true) || true : true;
    const body = new DataView(part.buffer, part.byteOffset + at + SIZEOF_NLMSGHDR, length - SIZEOF_NLMSGHDR);
    const found = dump?.parse(body);
    // What no descriptor belongs to any more has no inode.
    if (found && found[0] > 0) sockets.set(...found);
    at += (length + 3) & ~3;
  }
  return false;
}

function dump(door: Door, table: string, { request }: Dump, sockets: Map<number, NetSocket>): boolean {
  const fd = openSocket(door, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  if (fd < 0) return false;
  try {
    const body = request();
    const message = new Memory(door, SIZEOF_NLMSGHDR + body.length);
    message.u32[0] = SIZEOF_NLMSGHDR + body.length;
    message.u32[1] = SOCK_DIAG_BY_FAMILY | (NLM_F_REQUEST_DUMP << 16);
    message.u8.set(body, SIZEOF_NLMSGHDR);
    if (write(door, fd, message) < 0) return false;
    const part = new Memory(door, PART);
    for (;;) {
      const length = read(door, fd, part);
      part.keep();
      if (length <= 0) return false;
      const end = readPart(table, part.u8.subarray(0, length), sockets);
      if (end !== false) return end === true;
    }
  } finally {
    close(door, fd);
  }
}

/**
 * Adds the sockets of one table of the caller's network namespace: four system calls and one for each
 * 32 KiB. False where the kernel has no such table (a module, a configuration), or may not be asked.
 */
export function addByDiag(door: Door, table: string, sockets: Map<number, NetSocket>): boolean {
  const found = DUMPS.get(table);
  return found !== undefined && dump(door, table, found, sockets);
}
