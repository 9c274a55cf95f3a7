/** What a descriptor is, in a few words: NAME of lsof(8). */

import type { Descriptor, InetAddress } from '../../index.ts';

const address = ({ address, port }: InetAddress) =>
  `${address === '0.0.0.0' || address === '::' ? '*' : address.includes(':') ? `[${address}]` : address}:${port || '*'}`;

const words = (...parts: (string | number | bigint | false | undefined)[]) =>
  parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ');

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : `${ms / 1000} s`);

export function detailOf(row: Descriptor): string | undefined {
  switch (row.type) {
    case 'tcp':
    case 'udp':
    case 'udplite':
    case 'raw':
    case 'ping': {
      const { local, remote, state } = row;
      if (!local || !remote) return undefined;
      const connected = remote.port !== 0;
      const ends = connected ? `${address(local)}->${address(remote)}` : address(local);
      const protocol = (row.type === 'raw' || row.protocol === 'mptcp') && row.protocol;
      return words(ends, protocol, row.type === 'tcp' && state && `(${state})`);
    }
    case 'unix': {
      const name = row.path ?? (row.abstract === undefined ? undefined : `@${row.abstract}`);
      return words(name, row.socketType, row.state && `(${row.state})`, !!row.peer && `-> ${row.peer}`);
    }
    case 'netlink':
      return words(row.protocol, row.portId !== undefined && `port ${row.portId}`);
    case 'packet':
      return words(
        row.protocol !== undefined && `protocol 0x${row.protocol.toString(16)}`,
        row.interface !== undefined && `interface ${row.interface || '*'}`,
      );
    case 'vsock':
      return words(
        row.local && `${row.local.cid ?? '*'}:${row.local.port ?? '*'}`,
        row.remote?.port !== undefined && `-> ${row.remote.cid ?? '*'}:${row.remote.port}`,
        row.state && `(${row.state})`,
      );
    case 'pipe':
      return words(
        `pipe:[${row.inode}]`,
        row.queued !== undefined && `${row.queued} of ${row.capacity} bytes`,
      );
    case 'eventfd':
      return words(
        row.count !== undefined && `count ${row.count}`,
        row.id !== undefined && `id ${row.id}`,
        row.semaphore && 'semaphore',
      );
    case 'epoll':
      return row.targets && `watches ${row.targets.map(({ fd }) => fd).join(',') || 'nothing'}`;
    case 'timerfd':
      return words(
        row.clock,
        row.remaining !== undefined && (row.remaining ? `in ${seconds(row.remaining)}` : 'not armed'),
        !!row.interval && `every ${seconds(row.interval)}`,
      );
    case 'signalfd':
      return row.mask?.join(',');
    case 'inotify':
    case 'fanotify':
      return row.watches && `${row.watches.length} watches`;
    case 'pidfd':
      return row.target === undefined ? undefined : row.target > 0 ? `process ${row.target}` : 'no process';
    case 'memfd':
    case 'namespace':
    case 'anon':
      return words(row.name, row.type === 'namespace' && `[${row.inode}]`);
    case 'bpf-map':
    case 'bpf-prog':
      return words(row.bpfType, row.id !== undefined && `id ${row.id}`, row.name);
    case 'bpf-link':
      return words(
        row.bpfType,
        row.id !== undefined && `id ${row.id}`,
        row.progId !== undefined && `program ${row.progId}`,
      );
    case 'io_uring':
      return words(
        row.submission && `${row.submission.entries} entries`,
        row.registeredFiles !== undefined && `${row.registeredFiles} registered files`,
      );
    case 'char':
      return words(row.path, row.master && `pty ${row.pty}`);
    case 'mqueue':
      return words(row.path, row.messages !== undefined && `${row.messages} of ${row.maxMessages} messages`);
    case 'userfaultfd':
    case 'perf':
    case 'landlock':
      return undefined;
    case 'socket':
      return row.path ?? ('family' in row && row.family !== undefined ? `family ${row.family}` : undefined);
    default:
      return words(row.path, row.deleted && '(deleted)');
  }
}
