/** What socket a link `socket:[inode]` stands for. */

import * as abi from '../../../abi/layout.gen.ts';
import { getAttribute } from '../../../sys/calls.ts';
import type { Door } from '../../../sys/door.ts';
import { Memory } from '../../../sys/memory.ts';
import { linkText, type ProcFiles } from '../files.ts';
import { type NetSocket, TABLES } from './net.ts';
import type { Subject } from './process.ts';
import { addByDiag, MULTIPATH } from './sock-diag.ts';

/** Of one network namespace, by inode. */
interface Namespace {
  readonly netns: number;
  readonly sockets: ReadonlyMap<number, NetSocket>;
}

export interface FoundSocket {
  /** enum fdinfo_type */
  readonly type: number;
  /** Undefined: its kind is all that can be told. */
  readonly facts?: NetSocket;
  readonly netns?: number;
}

const TYPES: Readonly<Record<NetSocket['type'], number>> = {
  tcp: abi.FDINFO_TCP,
  udp: abi.FDINFO_UDP,
  udplite: abi.FDINFO_UDPLITE,
  raw: abi.FDINFO_RAW,
  ping: abi.FDINFO_PING,
  unix: abi.FDINFO_UNIX,
  netlink: abi.FDINFO_NETLINK,
  packet: abi.FDINFO_PACKET,
  vsock: abi.FDINFO_VSOCK,
};

/** Names of struct proto in the kernel (net/ipv4, net/ipv6, net/unix, …). */
const PROTOCOL_NAMES: ReadonlyMap<string, number> = new Map([
  ['TCP', abi.FDINFO_TCP],
  ['TCPv6', abi.FDINFO_TCP],
  ['MPTCP', abi.FDINFO_TCP],
  ['MPTCPv6', abi.FDINFO_TCP],
  ['UDP', abi.FDINFO_UDP],
  ['UDPv6', abi.FDINFO_UDP],
  ['UDP-Lite', abi.FDINFO_UDPLITE],
  ['UDPLITEv6', abi.FDINFO_UDPLITE],
  ['RAW', abi.FDINFO_RAW],
  ['RAWv6', abi.FDINFO_RAW],
  ['PING', abi.FDINFO_PING],
  ['PINGv6', abi.FDINFO_PING],
  ['UNIX', abi.FDINFO_UNIX],
  ['UNIX-STREAM', abi.FDINFO_UNIX],
  ['NETLINK', abi.FDINFO_NETLINK],
  ['PACKET', abi.FDINFO_PACKET],
  ['AF_VSOCK', abi.FDINFO_VSOCK],
]);
/** Longer than any name of a protocol: struct proto has 32 bytes for it. */
const PROTOCOL_NAME = 64;

const namespaceNumber = (link: string | number) =>
  typeof link === 'string' ? Number(/\[(\d+)\]/.exec(link)?.[1] ?? 0) : 0;

/** Reads the tables of a network namespace when the first socket of a process in it is looked for. */
export class SocketFinder {
  readonly #files: ProcFiles;
  readonly #door: Door | undefined;
  readonly #namespaces = new Map<number, Namespace>();
  readonly #name: Memory | undefined;
  #own: number | undefined;

  constructor(files: ProcFiles, door: Door | undefined) {
    this.#files = files;
    this.#door = door;
    this.#name = door && new Memory(door, PROTOCOL_NAME);
  }

  /**
   * In the namespace of the process, then in those that were read before: a socket may
   * have been made in another one, and no number is used in two. What is in no table
   * (never bound, of an unknown namespace, of another family) still has its protocol's name.
   *
   * @param path link of the descriptor in /proc
   */
  find(subject: Subject, inode: number, path: string): FoundSocket {
    const own = this.#tables(subject.netns, subject.directory);
    for (const { netns, sockets } of [own, ...this.#namespaces.values()]) {
      const facts = sockets.get(inode);
      if (facts) return { type: TYPES[facts.type], facts, netns };
    }
    return { type: PROTOCOL_NAMES.get(this.#protocol(path) ?? '') ?? abi.FDINFO_SOCKET };
  }

  #tables(netns: number, directory: string): Namespace {
    let found = this.#namespaces.get(netns);
    if (!found) {
      found = { netns, sockets: this.#read(netns, directory) };
      this.#namespaces.set(netns, found);
    }
    return found;
  }

  #read(netns: number, directory: string): ReadonlyMap<number, NetSocket> {
    this.#own ??= namespaceNumber(linkText('/proc/thread-self/ns/net'));
    const door = netns === this.#own ? this.#door : undefined;
    const sockets = new Map<number, NetSocket>();
    for (const [table, add] of TABLES) {
      if (door && addByDiag(door, table, sockets)) continue;
      const text = this.#files.whole(`${directory}/net/${table}`);
      // One that the kernel has not, or may not show: its sockets are known by their protocol's name.
      if (typeof text === 'string') add(sockets, text);
    }
    if (door) {
      addByDiag(door, 'vsock', sockets);
      // Asked of a kernel without that module, it looks for one each time.
      if (this.#hasMultipath(directory)) for (const table of MULTIPATH) addByDiag(door, table, sockets);
    }
    return sockets;
  }

  /** Does the namespace have sockets of Multipath TCP? By the counts of proto_seq_show() in net/core/sock.c. */
  #hasMultipath(directory: string): boolean {
    const protocols = this.#files.whole(`${directory}/net/protocols`);
    return typeof protocols === 'string' && /^MPTCP(v6)? +\d+ +[1-9]/m.test(protocols);
  }

  /** An attribute that sockfs gives to every socket itself (sockfs_xattr_get()): no server is asked for it. */
  #protocol(path: string): string | undefined {
    const name = this.#name;
    if (!this.#door || !name) return undefined;
    const length = getAttribute(this.#door, path, 'system.sockprotoname', name);
    if (length <= 0) return undefined;
    return Buffer.from(name.buffer, 0, length).toString('latin1').replace(/\0+$/, '');
  }
}
