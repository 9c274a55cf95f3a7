/**
 * Which of this process's descriptors the JavaScript runtime lives on.
 *
 * A list made at import would not do: each Worker, the first fs.watch() and each
 * terminal bring new ones, and native add-ons have loops of their own. So they are
 * told by kind, at the time of the call, by what the kernel says about each:
 *
 * - close-on-exec. Node and libuv open everything so; what lacks it came from the
 *   parent or was made to be inherited.
 * - and one of these: an event loop's epoll, eventfd, io_uring or inotify; a pipe
 *   with both ends in this process (how libuv brings signals into a loop); the
 *   terminal of a standard stream opened once more (uv_tty_init()); /dev/null, which a
 *   loop gives up when accept(2) finds no descriptor free (uv__emfile_trick()); the channel
 *   of process.send(); the eBPF programs, maps and links of this package.
 *
 * The names of anonymous inodes are only in /proc. Where it is not mounted every
 * close-on-exec descriptor on an anonymous inode counts as the runtime's: leaving a
 * timer open is a smaller fault than taking the event loop away.
 */

import { constants } from 'node:fs';
import type { Backend } from '../backends/backend.ts';
import { SystemError } from '../errors.ts';
import { FD_CLOEXEC, getDescriptorFlags, getFileFlags } from '../sys/calls.ts';
import type { Door } from '../sys/door.ts';
import { OwnDescriptors } from '../sys/own.ts';
import { collect } from './pool.ts';

// From here, and not from its own file: it records when it is loaded what Node changes about the
// standard streams soon after, and exec() is loaded later than that.
export { restoreStreams } from '../sys/streams.ts';

const { O_WRONLY, O_RDWR, S_IFCHR, S_IFIFO } = constants;
const O_ACCMODE = O_WRONLY | O_RDWR;

/** As the link in /proc has them, behind `anon_inode:` and without the brackets that only some have. */
const RUNTIME_KINDS = new Set([
  'eventpoll',
  'eventfd',
  'io_uring',
  'inotify',
  'bpf-prog',
  'bpf-map',
  'bpf_link',
  'bpf-link',
  'bpf_iter',
]);

/** An anonymous inode's name, from its link. */
const anonymousKind = (link: string) => /^anon_inode:\[?([^\]]+)\]?$/.exec(link)?.[1] ?? '';

/** Major and minor of /dev/null, Documentation/admin-guide/devices.txt. */
const NULL_DEVICE = '1:3';
/** Event loops of a Node process without Workers: JavaScript's, and two of the platform's own threads. */
const LOOPS_AT_LEAST = 3;

export interface Runtime {
  /** All of them. */
  readonly all: Set<number>;
  /** Those of `all` that may as well be the program's: any /dev/null looks like another. */
  readonly doubtful: Set<number>;
}

/**
 * From so many descriptors on a program that tells files from the rest is asked before
 * statx(2): to load it takes about as long as so many of those.
 */
const MANY = 2048;

/**
 * The runtime's descriptors of all that are open, `fds`: of many, only those that may be
 * of a kind that the runtime has are looked at, where the kernel can tell that for all at once.
 */
export function runtimeAmong(backend: Backend, door: Door, fds: Int32Array): Runtime {
  return runtimeDescriptors(door, (fds.length >= MANY && candidates(backend)) || fds);
}

/** What is no file, directory or socket; undefined where that cannot be told in bulk. */
function candidates(backend: Backend): Int32Array | undefined {
  let unknown = false;
  const special = collect(Number.POSITIVE_INFINITY, 0, (target, at, cursor) => {
    const end = backend.specialDescriptors?.(cursor, target, at);
    unknown ||= end === undefined;
    if (end !== undefined && end < 0) throw new SystemError(end, 'fdmap');
    return end ?? at;
  });
  if (unknown) return undefined;
  // The channel of process.send() is a socket, and known by its number.
  return channelDescriptor() === undefined ? special : Int32Array.of(...special, channelDescriptor()!);
}

const channelDescriptor = () => (process.channel as { fd?: number } | undefined)?.fd;

/**
 * Those of `fds` that are the runtime's: one statx(2) each, one or two fcntl(2) where it is
 * anonymous, a pipe or a device, and a readlink(2) for the name of what is anonymous.
 *
 * @param fds both ends of a pipe must be among them
 */
function runtimeDescriptors(door: Door, fds: Int32Array): Runtime {
  const own = new OwnDescriptors(door);
  const found = new Set<number>();
  const terminals = standardTerminals(own);
  const nulls: number[] = [];
  let loops = 0;
  const pipes = new Map<string, { readers: number[]; writers: number[] }>();
  const channel = channelDescriptor();
  for (const fd of fds) {
    if (fd === channel) {
      found.add(fd);
      continue;
    }
    // Closed meanwhile, or of a type that the runtime has none of: most are files and sockets.
    if (own.stat(fd) < 0) continue;
    const { type } = own;
    if (type !== 0 && type !== S_IFCHR && type !== S_IFIFO) continue;
    const flags = getFileFlags(door, fd);
    if (flags < 0 || getDescriptorFlags(door, fd) !== FD_CLOEXEC) continue;
    if (type === 0) {
      const link = own.link(fd);
      const kind = typeof link === 'string' ? anonymousKind(link) : undefined;
      if (kind === undefined || RUNTIME_KINDS.has(kind)) found.add(fd);
      if (kind === 'eventpoll') loops++;
    } else if (type === S_IFCHR) {
      const { device } = own;
      if (fd > 2 && terminals.has(device)) found.add(fd);
      if (fd > 2 && device === NULL_DEVICE && (flags & O_ACCMODE) === 0) nulls.push(fd);
    } else {
      const ends = pipes.get(own.file) ?? { readers: [], writers: [] };
      pipes.set(own.file, ends);
      const access = flags & O_ACCMODE;
      if (access !== O_WRONLY) ends.readers.push(fd);
      if (access !== 0) ends.writers.push(fd);
    }
  }
  for (const { readers, writers } of pipes.values()) {
    if (readers.length === 0 || writers.length === 0) continue;
    for (const fd of [...readers, ...writers]) found.add(fd);
  }
  // One for each loop that has had a stream, which is before most programs open anything.
  const doubtful = new Set(nulls.slice(0, Math.max(loops - LOOPS_AT_LEAST, 0) + 1));
  for (const fd of doubtful) found.add(fd);
  return { all: found, doubtful };
}

/** Major numbers of terminals, Documentation/admin-guide/devices.txt: 4 tty, 5 tty and console, 136-143 pts. */
const TERMINAL_MAJORS = /^(4|5|13[6-9]|14[0-3]):/;

function standardTerminals(own: OwnDescriptors): Set<string> {
  const devices = new Set<string>();
  for (let fd = 0; fd <= 2; fd++) {
    if (own.stat(fd) < 0 || own.type !== S_IFCHR) continue;
    const { device } = own;
    if (TERMINAL_MAJORS.test(device)) devices.add(device);
  }
  return devices;
}
