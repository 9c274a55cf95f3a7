/** What is known of a socket, as an attribute of the record that is being written. */

import type { RecordWriter } from '../../../abi/attributes.ts';
import * as abi from '../../../abi/layout.gen.ts';
import type { InetSocket, NetSocket, OtherSocket } from './net.ts';

const TCP_LISTEN = 10;

/** RCV_SHUTDOWN and SEND_SHUTDOWN of include/net/sock.h, as sock_diag(7) tells them. */
const shutdownBits = (shutdown: number | undefined) =>
  shutdown === undefined ? 0 : abi.FDINFO_KNOWS_SHUTDOWN | ((shutdown & 3) * abi.FDINFO_SHUT_READ);

function inetFacts(writer: RecordWriter, socket: InetSocket, netns: number): void {
  const at = writer.attribute(abi.FDINFO_A_INET, abi.SIZEOF_FDINFO_INET);
  const short = (offset: number, value: number) =>
    writer.setBytes(at + offset, Uint8Array.of(value & 0xff, value >>> 8));
  short(abi.FDINFO_INET_FAMILY, socket.family);
  short(abi.FDINFO_INET_STATE, socket.state);
  short(abi.FDINFO_INET_PROTOCOL, socket.protocol);
  short(abi.FDINFO_INET_LOCAL_PORT, socket.localPort);
  short(abi.FDINFO_INET_REMOTE_PORT, socket.remotePort);
  const hidden = socket.type === 'tcp' && socket.state === TCP_LISTEN && !socket.hasBacklog;
  const queues =
    socket.hasQueues === false
      ? 0
      : hidden
        ? abi.FDINFO_KNOWS_RECEIVE
        : abi.FDINFO_KNOWS_RECEIVE | abi.FDINFO_KNOWS_SEND;
  short(abi.FDINFO_INET_VALID, queues | shutdownBits(socket.shutdown));
  writer.setU32(at + abi.FDINFO_INET_RECEIVE_QUEUE, socket.receiveQueue);
  writer.setU32(at + abi.FDINFO_INET_SEND_QUEUE, hidden ? 0 : socket.sendQueue);
  writer.setU32(at + abi.FDINFO_INET_NETNS, netns);
  writer.setU32(at + abi.FDINFO_INET_INTERFACE, socket.interface ?? 0);
  writer.setBytes(at + abi.FDINFO_INET_LOCAL, socket.local);
  writer.setBytes(at + abi.FDINFO_INET_REMOTE, socket.remote);
}

function otherFacts(writer: RecordWriter, socket: OtherSocket, netns: number): void {
  const at = writer.attribute(abi.FDINFO_A_SOCKET, abi.SIZEOF_FDINFO_SOCKET);
  const [localCid = 0, localPort = socket.portId ?? 0, remoteCid = 0, remotePort = 0] = socket.vsock ?? [];
  const peer = socket.peer === undefined ? 0 : abi.FDINFO_KNOWS_PEER;
  writer.setBytes(at + abi.FDINFO_SOCKET_FAMILY, Uint8Array.of(socket.family, 0, socket.socketType, 0));
  writer.setU32(at + abi.FDINFO_SOCKET_PROTOCOL, socket.protocol);
  writer.setU32(at + abi.FDINFO_SOCKET_STATE, socket.state);
  writer.setU32(at + abi.FDINFO_SOCKET_NETNS, netns);
  writer.setU32(at + abi.FDINFO_SOCKET_LOCAL_CID, localCid);
  writer.setU32(at + abi.FDINFO_SOCKET_LOCAL_PORT, localPort);
  writer.setU32(at + abi.FDINFO_SOCKET_REMOTE_CID, remoteCid);
  writer.setU32(at + abi.FDINFO_SOCKET_REMOTE_PORT, remotePort);
  writer.setU32(at + abi.FDINFO_SOCKET_GROUPS, socket.groups ?? 0);
  writer.setU32(at + abi.FDINFO_SOCKET_INTERFACE, socket.interface ?? 0);
  writer.setNumber(at + abi.FDINFO_SOCKET_PEER, socket.peer ?? 0);
  writer.setU32(
    at + abi.FDINFO_SOCKET_VALID,
    abi.FDINFO_KNOWS_DETAIL | abi.FDINFO_KNOWS_NETNS | peer | shutdownBits(socket.shutdown),
  );
  if (socket.name) writer.payload(abi.FDINFO_A_NAME, socket.name);
}

export function socketFacts(writer: RecordWriter, socket: NetSocket, netns: number): void {
  if (socket.kind === 'inet') inetFacts(writer, socket, netns);
  else otherFacts(writer, socket, netns);
}
