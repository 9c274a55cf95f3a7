/** What kind of descriptor the text of a link in /proc/PID/fd stands for. */

import * as abi from '../../../abi/layout.gen.ts';

/** Names that the kernel gives to anonymous inodes. */
const ANONYMOUS: ReadonlyMap<string, number> = new Map([
  ['[eventfd]', abi.FDINFO_EVENTFD],
  ['[eventpoll]', abi.FDINFO_EPOLL],
  ['[timerfd]', abi.FDINFO_TIMERFD],
  ['[signalfd]', abi.FDINFO_SIGNALFD],
  ['inotify', abi.FDINFO_INOTIFY],
  ['[fanotify]', abi.FDINFO_FANOTIFY],
  ['[pidfd]', abi.FDINFO_PIDFD],
  ['bpf-map', abi.FDINFO_BPF_MAP],
  ['bpf-prog', abi.FDINFO_BPF_PROG],
  ['bpf_link', abi.FDINFO_BPF_LINK],
  ['[io_uring]', abi.FDINFO_IO_URING],
  ['[userfaultfd]', abi.FDINFO_USERFAULTFD],
  ['[perf_event]', abi.FDINFO_PERF],
  ['[landlock-ruleset]', abi.FDINFO_LANDLOCK],
]);

export interface Kind {
  /** enum fdinfo_type; -1: a path, of which only the file itself can tell. */
  readonly type: number;
  readonly name?: string;
  readonly inode?: number;
}

/** Nobody can make a path look like one of these: a path begins with a slash. */
export function kindOf(link: string): Kind {
  if (link.startsWith('/')) return { type: -1 };
  if (link.startsWith('anon_inode:')) {
    const name = link.slice('anon_inode:'.length);
    const type = ANONYMOUS.get(name);
    return type === undefined ? { type: abi.FDINFO_ANON, name } : { type };
  }
  const match = /^([\w-]+):\[(\d+)\]$/.exec(link);
  if (!match) return { type: abi.FDINFO_ANON, name: link };
  const [, name = '', number] = match;
  const inode = Number(number);
  if (name === 'pipe') return { type: abi.FDINFO_PIPE, inode };
  if (name === 'socket') return { type: abi.FDINFO_SOCKET, inode };
  if (name === 'pidfd') return { type: abi.FDINFO_PIDFD, inode };
  return { type: abi.FDINFO_NAMESPACE, name, inode };
}

/** S_IFMT of st_mode. */
export function typeOfMode(mode: number): number {
  switch (mode & 0o170000) {
    case 0o100000:
      return abi.FDINFO_FILE;
    case 0o040000:
      return abi.FDINFO_DIR;
    case 0o120000:
      return abi.FDINFO_SYMLINK;
    case 0o060000:
      return abi.FDINFO_BLOCK;
    case 0o020000:
      return abi.FDINFO_CHAR;
    case 0o010000:
      return abi.FDINFO_FIFO;
    case 0o140000:
      return abi.FDINFO_SOCKET;
    default:
      return abi.FDINFO_UNKNOWN;
  }
}
