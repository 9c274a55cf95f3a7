/** From bytes to rows: a class for each type of descriptor, a union that `type` tells apart. */

import * as abi from '../layout.gen.ts';
import * as events from './events.ts';
import * as files from './files.ts';
import { InetSocketDescriptor } from './inet-sockets.ts';
import * as objects from './objects.ts';
import type { Chunk } from './record.ts';
import * as sockets from './sockets.ts';

/** One descriptor of one process. Which members there are follows from `type`. */
export type Descriptor =
  | files.FileDescriptor
  | files.CharDescriptor
  | files.PipeDescriptor
  | files.MemfdDescriptor
  | files.MqueueDescriptor
  | InetSocketDescriptor
  | sockets.UnixSocketDescriptor
  | sockets.NetlinkSocketDescriptor
  | sockets.PacketSocketDescriptor
  | sockets.VsockSocketDescriptor
  | sockets.SocketDescriptor
  | events.EventfdDescriptor
  | events.EpollDescriptor
  | events.TimerfdDescriptor
  | events.SignalfdDescriptor
  | events.InotifyDescriptor
  | events.FanotifyDescriptor
  | objects.PidfdDescriptor
  | objects.BpfMapDescriptor
  | objects.BpfProgDescriptor
  | objects.BpfLinkDescriptor
  | objects.IoUringDescriptor
  | objects.NamespaceDescriptor
  | objects.UserfaultfdDescriptor
  | objects.PerfDescriptor
  | objects.LandlockDescriptor
  | objects.AnonDescriptor;

type Constructor = new (chunk: Chunk, at: number) => Descriptor;

const CLASSES: readonly Constructor[] = (() => {
  const classes: Constructor[] = [];
  const put = (type: number, each: Constructor) => {
    classes[type] = each;
  };
  for (const type of [
    abi.FDINFO_UNKNOWN,
    abi.FDINFO_FILE,
    abi.FDINFO_DIR,
    abi.FDINFO_SYMLINK,
    abi.FDINFO_BLOCK,
  ])
    put(type, files.FileDescriptor);
  put(abi.FDINFO_CHAR, files.CharDescriptor);
  put(abi.FDINFO_PIPE, files.PipeDescriptor);
  put(abi.FDINFO_FIFO, files.PipeDescriptor);
  for (const type of [abi.FDINFO_TCP, abi.FDINFO_UDP, abi.FDINFO_UDPLITE, abi.FDINFO_RAW, abi.FDINFO_PING])
    put(type, InetSocketDescriptor);
  put(abi.FDINFO_UNIX, sockets.UnixSocketDescriptor);
  put(abi.FDINFO_NETLINK, sockets.NetlinkSocketDescriptor);
  put(abi.FDINFO_PACKET, sockets.PacketSocketDescriptor);
  put(abi.FDINFO_VSOCK, sockets.VsockSocketDescriptor);
  put(abi.FDINFO_SOCKET, sockets.SocketDescriptor);
  put(abi.FDINFO_EVENTFD, events.EventfdDescriptor);
  put(abi.FDINFO_EPOLL, events.EpollDescriptor);
  put(abi.FDINFO_TIMERFD, events.TimerfdDescriptor);
  put(abi.FDINFO_SIGNALFD, events.SignalfdDescriptor);
  put(abi.FDINFO_INOTIFY, events.InotifyDescriptor);
  put(abi.FDINFO_FANOTIFY, events.FanotifyDescriptor);
  put(abi.FDINFO_PIDFD, objects.PidfdDescriptor);
  put(abi.FDINFO_MEMFD, files.MemfdDescriptor);
  put(abi.FDINFO_BPF_MAP, objects.BpfMapDescriptor);
  put(abi.FDINFO_BPF_PROG, objects.BpfProgDescriptor);
  put(abi.FDINFO_BPF_LINK, objects.BpfLinkDescriptor);
  put(abi.FDINFO_IO_URING, objects.IoUringDescriptor);
  put(abi.FDINFO_USERFAULTFD, objects.UserfaultfdDescriptor);
  put(abi.FDINFO_PERF, objects.PerfDescriptor);
  put(abi.FDINFO_LANDLOCK, objects.LandlockDescriptor);
  put(abi.FDINFO_NAMESPACE, objects.NamespaceDescriptor);
  put(abi.FDINFO_MQUEUE, files.MqueueDescriptor);
  put(abi.FDINFO_ANON, objects.AnonDescriptor);
  return classes;
})();

/** Another protocol over IP is a `socket` with addresses. */
function classOf(chunk: Chunk, at: number, type: number): Constructor {
  if (type === abi.FDINFO_SOCKET && chunk.attribute(at, abi.FDINFO_A_INET, abi.SIZEOF_FDINFO_INET) !== 0)
    return InetSocketDescriptor;
  const found = CLASSES[type];
  if (!found) throw chunk.damage(`a descriptor of type ${type}`, at);
  return found;
}

/** What records are not rows: processes that the caller may not look into, and those that failed. */
export interface Aside {
  hidden(): void;
  failed(pid: number, errno: number): void;
}

/**
 * Looks at everything of a record that a row of it could fail at: its head, the heads of its
 * attributes, its type. For bytes that come from a file.
 *
 * @returns where the next one is
 * @throws DecodeError
 */
export function checkRecord(chunk: Chunk, at: number): number {
  const next = chunk.check(at);
  // Looks for one that there is none of, and so at all.
  chunk.attribute(at, NO_ATTRIBUTE, 0);
  if (chunk.kind(at) === abi.FDMAP_KIND_DESCRIPTOR)
    classOf(chunk, at, chunk.word(at + abi.FDINFO_RECORD_TYPE));
  return next;
}

const NO_ATTRIBUTE = 0xffff;

/**
 * Appends a row for each descriptor in `chunk` to `rows`.
 *
 * @throws DecodeError where the bytes are no records
 */
export function decodeChunk(chunk: Chunk, rows: Descriptor[], aside: Aside): void {
  const end = chunk.u8.length;
  for (let at = 0; at < end; ) {
    const next = chunk.check(at);
    const kind = chunk.kind(at);
    if (kind === abi.FDMAP_KIND_DESCRIPTOR) {
      const error = chunk.int(at + abi.FDMAP_RECORD_ERROR);
      if (error < 0) {
        aside.failed(chunk.int(at + abi.FDINFO_RECORD_PID), error);
      } else {
        const type = chunk.word(at + abi.FDINFO_RECORD_TYPE);
        rows.push(new (classOf(chunk, at, type))(chunk, at));
      }
    } else if (kind === abi.FDINFO_KIND_HIDDEN) {
      aside.hidden();
    }
    at = next;
  }
}
