/** Columns of descriptors: `fdmap ls`, `fdmap who`. */

import type { Descriptor } from '../../index.ts';
import { userName } from '../users.ts';
import type { Column } from './column.ts';
import { detailOf } from './detail.ts';
import { driverOf } from './driver.ts';
import * as joined from './joined.ts';

type DescriptorColumn = Column<Descriptor>;

/** A member that only some classes have. */
function memberOf(row: Descriptor, name: string): unknown {
  const value = (row as unknown as Record<string, unknown>)[name];
  return typeof value === 'bigint' ? value.toString() : value;
}

function member(name: string, type: DescriptorColumn['type'], help: string): DescriptorColumn {
  return {
    name,
    heading: name.toUpperCase(),
    align: type === 'number' ? 'right' : 'left',
    type,
    help,
    value: (row) => memberOf(row, name),
    getter: name,
  };
}

/** Of more than the row: only what is shown is asked for, and of an image nothing is known. */
const join = (
  name: string,
  type: DescriptorColumn['type'],
  help: string,
  value: DescriptorColumn['value'],
): DescriptorColumn => ({ ...member(name, type, help), getter: undefined, value });

const JOINED: readonly DescriptorColumn[] = [
  join('ppid', 'number', 'parent of the process', joined.ppidOf),
  join('pgid', 'number', 'its process group', joined.pgidOf),
  join('kernelThread', 'boolean', 'whether it is a kernel thread', joined.isKernelThread),
  join('partition', 'string', 'name of a block device, by /proc/partitions', joined.partitionOf),
  join('source', 'string', 'source of the file system, as it is mounted here', joined.sourceOf),
  join('interfaceName', 'string', 'name of `interface`, in this network namespace', joined.interfaceNameOf),
  join('targetCommand', 'string', 'name of the process of a pidfd', joined.targetCommandOf),
  join('targetPids', 'array', 'its numbers, down to its own pid namespace', joined.targetPidsOf),
  join('tunnel', 'string', 'interface behind a descriptor of /dev/net/tun', joined.tunnelOf),
];

const text = (row: Descriptor, name: string, show: (value: never) => string): string | undefined => {
  const value = memberOf(row, name);
  return value === undefined ? undefined : show(value as never);
};

const addressText = ({ address, port }: { address: string; port: number }) =>
  `${address.includes(':') ? `[${address}]` : address}:${port || '*'}`;

/** Of IP an address and a port, of vsock a context and a port. */
const endText = (end: { address?: string; port?: number; cid?: number }) =>
  end.address !== undefined
    ? addressText({ address: end.address, port: end.port ?? 0 })
    : `${end.cid ?? '*'}:${end.port ?? '*'}`;

const holdersText = (ends: readonly { pid: number; command: string; fd: number }[]) =>
  ends.map(({ pid, command, fd }) => `${pid},${command},${fd}`).join(' ');

export const DESCRIPTOR_COLUMNS: readonly DescriptorColumn[] = [
  member('pid', 'number', 'process'),
  member('tid', 'number', 'thread: not the pid where it has a table of its own'),
  member('command', 'string', 'name of the process, at most 15 bytes'),
  {
    name: 'user',
    heading: 'USER',
    align: 'left',
    type: 'string',
    help: 'effective user of the process: its name in /etc/passwd, else its number',
    value: ({ processUid }) =>
      processUid === undefined ? undefined : (userName(processUid) ?? String(processUid)),
  },
  member('processUid', 'number', 'effective user of the process'),
  { ...member('fd', 'number', 'number, or cwd, root, exe, mem'), value: ({ fd }) => fd },
  member('type', 'string', 'kind of descriptor'),
  member('access', 'string', 'opened to read (r), to write (w), both (rw) or neither (-)'),
  member('flags', 'array', 'O_* as they are now'),
  member('cloexec', 'boolean', 'closed by execve(2)'),
  member('pos', 'number', 'position in bytes'),
  {
    name: 'detail',
    heading: 'DETAIL',
    align: 'left',
    type: 'string',
    help: 'what it is, in a few words: path, addresses, counts',
    value: detailOf,
  },
  member('path', 'string', 'path, by the kernel; bytes that are no UTF-8 as U+DC00 + byte'),
  member('deleted', 'boolean', 'the name that it was opened by is gone'),
  member('dev', 'string', 'device of the file system, major:minor'),
  member('inode', 'number', 'inode'),
  {
    ...member('mode', 'number', 'st_mode; octal as text'),
    text: ({ mode }) => (mode === undefined ? undefined : `0${mode.toString(8)}`),
  },
  member('size', 'number', 'bytes'),
  member('nlink', 'number', 'names'),
  member('uid', 'number', 'owner of the file'),
  {
    name: 'owner',
    heading: 'OWNER',
    align: 'left',
    type: 'string',
    help: 'owner of the file: the name in /etc/passwd, else the number',
    value: ({ uid }) => (uid === undefined ? undefined : (userName(uid) ?? String(uid))),
  },
  member('mountId', 'number', 'mount, as in /proc/PID/mountinfo'),
  member('rdev', 'string', 'device that a special file stands for'),
  {
    name: 'driver',
    heading: 'DRIVER',
    align: 'left',
    type: 'string',
    help: 'of a special file, by /proc/devices and /proc/misc: `mem`, `pts`, `misc:tun`',
    value: driverOf,
  },
  member('fileId', 'string', 'equal where one open file is shared'),
  member('locks', 'array', 'locks that were taken through it'),
  member('truncated', 'boolean', 'a path or list was longer than there is room'),
  member('family', 'number', 'IP: 4 or 6'),
  member('protocol', 'string', 'of a socket'),
  member('socketType', 'string', 'stream, dgram, …'),
  {
    ...member('local', 'object', 'address and port of this end'),
    text: (row) => text(row, 'local', endText),
  },
  {
    ...member('remote', 'object', 'address and port of the other end'),
    text: (row) => text(row, 'remote', endText),
  },
  member('state', 'string', 'of a socket'),
  member('receiveQueue', 'number', 'bytes; of a listener, connections that wait'),
  member('sendQueue', 'number', 'bytes; of a listener, the most that may wait'),
  member(
    'shutdown',
    'string',
    'what shutdown(2) has closed: receiving (r), sending (w), both (rw) or neither (-)',
  ),
  member('netns', 'number', 'inode of its network namespace'),
  member('interface', 'number', 'index of the interface that it is bound to'),
  member('abstract', 'string', 'abstract name of a unix socket'),
  member('peer', 'number', 'unix: inode of the other end'),
  {
    ...member('endpoints', 'array', 'who holds the other end; asked for when shown'),
    getter: undefined,
    text: (row) => row.endpoints && holdersText(row.endpoints),
  },
  {
    ...member('watchers', 'array', 'epoll descriptors that watch it; asked for when shown'),
    getter: undefined,
    text: (row) => row.watchers && holdersText(row.watchers),
  },
  member('portId', 'number', 'of a netlink socket'),
  member('groups', 'number', 'netlink: multicast groups, a bit each'),
  member('readers', 'number', 'pipe: open files that read'),
  member('writers', 'number', 'pipe: open files that write'),
  member('queued', 'number', 'bytes that wait in a pipe or message queue'),
  member('capacity', 'number', 'bytes that fit into a pipe'),
  member('pty', 'number', 'number of a pseudo-terminal'),
  member('master', 'boolean', 'its master side'),
  member('count', 'number', 'of an eventfd'),
  member('semaphore', 'boolean', 'of an eventfd'),
  member('id', 'number', 'of an eventfd, a BPF map, program or link'),
  {
    ...member('targets', 'array', 'what an epoll watches'),
    text: (row) => text(row, 'targets', (list: { fd: number }[]) => list.map(({ fd }) => fd).join(',')),
  },
  member('clock', 'string', 'of a timerfd'),
  member('remaining', 'number', 'timerfd: ms to the next expiry'),
  member('interval', 'number', 'timerfd: ms'),
  member('ticks', 'number', 'timerfd: expiries that nobody has read'),
  member('mask', 'array', 'signals of a signalfd'),
  {
    ...member('watches', 'array', 'of inotify and fanotify'),
    text: (row) =>
      text(row, 'watches', (list: { inode?: unknown }[]) => list.map(({ inode }) => inode).join(',')),
  },
  member('target', 'number', 'process of a pidfd'),
  member('name', 'string', 'of a memfd, namespace, BPF object, anonymous inode'),
  member('seals', 'array', 'of a memfd'),
  member('bpfType', 'string', 'of a BPF map, program or link: `hash`, `kprobe`, …'),
  member('mapType', 'number', 'enum bpf_map_type'),
  member('progType', 'number', 'enum bpf_prog_type'),
  member('linkType', 'number', 'enum bpf_link_type'),
  member('keySize', 'number', 'of a BPF map'),
  member('valueSize', 'number', 'of a BPF map'),
  member('maxEntries', 'number', 'of a BPF map'),
  member('frozen', 'boolean', 'of a BPF map'),
  member('progId', 'number', 'program of a BPF link'),
  member('submission', 'object', 'io_uring: entries, head, tail'),
  member('completion', 'object', 'io_uring: entries, head, tail'),
  member('setupFlags', 'number', 'io_uring: IORING_SETUP_*'),
  member('registeredFiles', 'number', 'io_uring: size of the table'),
  member('features', 'number', 'of a userfaultfd'),
  member('eventType', 'number', 'perf_event_attr.type'),
  member('config', 'number', 'perf_event_attr.config'),
  member('cpu', 'number', 'of a perf event; -1 any'),
  member('maxMessages', 'number', 'of a message queue'),
  member('messageSize', 'number', 'of a message queue, bytes'),
  member('messages', 'number', 'that wait in a message queue'),
  member('initFlags', 'number', 'of fanotify_init(2)'),
  member('mapping', 'object', 'of a mapped file'),
  ...JOINED,
];

/** Members of JSON without -o: all but what is made of others. */
export const DESCRIPTOR_MEMBERS: readonly string[] = DESCRIPTOR_COLUMNS.map(({ name }) => name).filter(
  (name) => !['detail', 'owner', 'driver', ...JOINED.map((column) => column.name)].includes(name),
);
