/** The facts of a class, as attributes of the record that is being written. */

import type { RecordWriter } from '../../../abi/attributes.ts';
import { UNKNOWN_FLAGS } from '../../../abi/fdinfo/flags.ts';
import * as abi from '../../../abi/layout.gen.ts';
import { decimal, type FdinfoText, hexadecimal, hexLong, octal, pairs } from './text.ts';

/** Whose record it is, for those that go on with its lists. */
export interface Owner {
  readonly pid: number;
  readonly tid: number;
  readonly fd: number;
}

/** The last thing that is written of a descriptor: a list may go on in further records. */
type Facts = (writer: RecordWriter, text: FdinfoText, owner: Owner) => void;

/** The length of an attribute is 16 bits. */
const LIST_BYTES = 60_000;

function list<T>(
  writer: RecordWriter,
  owner: Owner,
  type: number,
  size: number,
  items: readonly T[],
  write: (at: number, item: T) => void,
): void {
  const most = Math.floor(LIST_BYTES / size);
  for (let first = 0; first === 0 || first < items.length; first += most) {
    if (first > 0) {
      writer.end();
      writer.begin(abi.FDINFO_KIND_MORE, abi.SIZEOF_FDINFO_MORE);
      writer.setU32(writer.fixed(abi.FDINFO_MORE_PID), owner.pid);
      writer.setU32(writer.fixed(abi.FDINFO_MORE_TID), owner.tid);
      writer.setU32(writer.fixed(abi.FDINFO_MORE_FD), owner.fd);
    }
    const part = items.slice(first, first + most);
    const at = writer.attribute(type, abi.SIZEOF_FDINFO_LIST + size * part.length);
    writer.setU32(at + abi.FDINFO_LIST_TOTAL, part.length);
    part.forEach((item, i) => {
      write(at + abi.SIZEOF_FDINFO_LIST + i * size, item);
    });
  }
}

const linesOf = (text: FdinfoText, start: string) => text.lines.filter((line) => line.startsWith(start));
const field = (found: Map<string, string>, name: string) => found.get(name) ?? '0';

function eventfd(writer: RecordWriter, { values }: FdinfoText): void {
  const count = values.get('eventfd-count');
  if (count === undefined) return;
  const semaphore = decimal(values.get('eventfd-semaphore'));
  const at = writer.attribute(abi.FDINFO_A_EVENTFD, abi.SIZEOF_FDINFO_EVENTFD);
  writer.setU64(at + abi.FDINFO_EVENTFD_COUNT, hexLong(count));
  writer.setU32(at + abi.FDINFO_EVENTFD_ID, decimal(values.get('eventfd-id')) ?? -1);
  writer.setU32(at + abi.FDINFO_EVENTFD_FLAGS, semaphore ?? UNKNOWN_FLAGS);
}

function epoll(writer: RecordWriter, text: FdinfoText, owner: Owner): void {
  const lines = linesOf(text, 'tfd:');
  list(writer, owner, abi.FDINFO_A_EPOLL, abi.SIZEOF_FDINFO_TARGET, lines, (at, line) => {
    const found = pairs(line);
    writer.setU32(at + abi.FDINFO_TARGET_FD, Number(field(found, 'tfd')));
    writer.setU32(at + abi.FDINFO_TARGET_EVENTS, Number.parseInt(field(found, 'events'), 16));
    writer.setU64(at + abi.FDINFO_TARGET_DATA, hexLong(field(found, 'data')));
    writer.setU64(at + abi.FDINFO_TARGET_INODE, hexLong(field(found, 'ino')));
    writer.setU32(at + abi.FDINFO_TARGET_DEV, Number.parseInt(field(found, 'sdev'), 16));
  });
}

/** `(seconds, nanoseconds)` */
function nanoseconds(text: string | undefined): bigint | undefined {
  const match = /^\((\d+), (\d+)\)$/.exec(text ?? '');
  return match ? BigInt(match[1] as string) * 1_000_000_000n + BigInt(match[2] as string) : undefined;
}

function timerfd(writer: RecordWriter, { values }: FdinfoText): void {
  const clock = decimal(values.get('clockid'));
  if (clock === undefined) return;
  const at = writer.attribute(abi.FDINFO_A_TIMERFD, abi.SIZEOF_FDINFO_TIMERFD);
  const remaining = nanoseconds(values.get('it_value'));
  writer.setU32(at + abi.FDINFO_TIMERFD_CLOCK, clock);
  writer.setNumber(at + abi.FDINFO_TIMERFD_TICKS, decimal(values.get('ticks')) ?? 0);
  writer.setU32(at + abi.FDINFO_TIMERFD_SETTIME_FLAGS, octal(values.get('settime flags')) ?? 0);
  writer.setU64(at + abi.FDINFO_TIMERFD_REMAINING, remaining ?? 0n);
  writer.setU32(at + abi.FDINFO_TIMERFD_HAS_REMAINING, remaining === undefined ? 0 : 1);
  writer.setU64(at + abi.FDINFO_TIMERFD_INTERVAL, nanoseconds(values.get('it_interval')) ?? 0n);
}

function signalfd(writer: RecordWriter, { values }: FdinfoText): void {
  const mask = values.get('sigmask');
  if (mask === undefined) return;
  const at = writer.attribute(abi.FDINFO_A_SIGNALFD, abi.SIZEOF_FDINFO_SIGNALFD);
  writer.setU64(at + abi.FDINFO_SIGNALFD_MASK, hexLong(mask));
}

function inotify(writer: RecordWriter, text: FdinfoText, owner: Owner): void {
  const lines = linesOf(text, 'inotify wd:');
  list(writer, owner, abi.FDINFO_A_INOTIFY, abi.SIZEOF_FDINFO_WATCH, lines, (at, line) => {
    const found = pairs(line);
    writer.setU32(at + abi.FDINFO_WATCH_WD, Number.parseInt(field(found, 'wd'), 16));
    writer.setU32(at + abi.FDINFO_WATCH_MASK, Number.parseInt(field(found, 'mask'), 16));
    writer.setU64(at + abi.FDINFO_WATCH_INODE, hexLong(field(found, 'ino')));
    writer.setU32(at + abi.FDINFO_WATCH_DEV, Number.parseInt(field(found, 'sdev'), 16));
  });
}

function fanotify(writer: RecordWriter, text: FdinfoText, owner: Owner): void {
  const [head] = linesOf(text, 'fanotify flags:');
  if (head) {
    const at = writer.attribute(abi.FDINFO_A_FANOTIFY_GROUP, abi.SIZEOF_FDINFO_FANOTIFY_GROUP);
    const found = pairs(head);
    writer.setU32(at + abi.FDINFO_FANOTIFY_GROUP_FLAGS, Number.parseInt(field(found, 'flags'), 16));
    writer.setU32(
      at + abi.FDINFO_FANOTIFY_GROUP_EVENT_FLAGS,
      Number.parseInt(field(found, 'event-flags'), 16),
    );
  }
  const lines = linesOf(text, 'fanotify ').filter((line) => line.includes(' mflags:'));
  list(writer, owner, abi.FDINFO_A_FANOTIFY, abi.SIZEOF_FDINFO_WATCH, lines, (at, line) => {
    const found = pairs(line);
    writer.setU32(at + abi.FDINFO_WATCH_WD, -1);
    writer.setU32(at + abi.FDINFO_WATCH_KIND, found.has('mnt_id') ? 1 : found.has('ino') ? 0 : 2);
    writer.setU32(at + abi.FDINFO_WATCH_MASK, Number.parseInt(field(found, 'mask'), 16));
    writer.setU32(at + abi.FDINFO_WATCH_IGNORED, Number.parseInt(field(found, 'ignored_mask'), 16));
    writer.setU64(at + abi.FDINFO_WATCH_INODE, hexLong(field(found, 'ino')));
    writer.setU32(at + abi.FDINFO_WATCH_DEV, Number.parseInt(field(found, 'sdev'), 16));
  });
}

function pidfd(writer: RecordWriter, { values }: FdinfoText): void {
  const pid = decimal(values.get('Pid'));
  if (pid === undefined) return;
  const at = writer.attribute(abi.FDINFO_A_PIDFD, abi.SIZEOF_FDINFO_PIDFD);
  writer.setU32(at + abi.FDINFO_PIDFD_PID, pid);
}

function bpf(writer: RecordWriter, { values }: FdinfoText): void {
  const number = (name: string) => decimal(values.get(name));
  const id = number('map_id') ?? number('link_id') ?? number('prog_id');
  if (id === undefined) return;
  const link = values.has('link_id');
  const at = writer.attribute(abi.FDINFO_A_BPF, abi.SIZEOF_FDINFO_BPF);
  writer.setU32(at + abi.FDINFO_BPF_ID, id);
  // That of a link is printed by name.
  writer.setU32(at + abi.FDINFO_BPF_TYPE, number('map_type') ?? (link ? 0 : (number('prog_type') ?? 0)));
  writer.setU32(at + abi.FDINFO_BPF_KEY_SIZE, number('key_size') ?? 0);
  writer.setU32(at + abi.FDINFO_BPF_VALUE_SIZE, number('value_size') ?? 0);
  writer.setU32(at + abi.FDINFO_BPF_MAX_ENTRIES, number('max_entries') ?? 0);
  writer.setU32(at + abi.FDINFO_BPF_FROZEN, number('frozen') ?? 0);
  writer.setU32(at + abi.FDINFO_BPF_PROGRAM, link ? (number('prog_id') ?? 0) : 0);
}

function ioUring(writer: RecordWriter, { values }: FdinfoText): void {
  const number = (name: string) => decimal(values.get(name));
  const mask = hexadecimal(values.get('SqMask')?.replace(/^0x/, ''));
  const completions = hexadecimal(values.get('CqMask')?.replace(/^0x/, ''));
  if (mask === undefined || completions === undefined) return;
  const files = number('UserFiles');
  const at = writer.attribute(abi.FDINFO_A_IO_URING, abi.SIZEOF_FDINFO_IO_URING);
  writer.setU32(at + abi.FDINFO_IO_URING_SETUP_FLAGS, UNKNOWN_FLAGS);
  writer.setU32(at + abi.FDINFO_IO_URING_SQ_ENTRIES, mask + 1);
  writer.setU32(at + abi.FDINFO_IO_URING_CQ_ENTRIES, completions + 1);
  writer.setU32(at + abi.FDINFO_IO_URING_SQ_HEAD, number('SqHead') ?? 0);
  writer.setU32(at + abi.FDINFO_IO_URING_SQ_TAIL, number('SqTail') ?? 0);
  writer.setU32(at + abi.FDINFO_IO_URING_CQ_HEAD, number('CqHead') ?? 0);
  writer.setU32(at + abi.FDINFO_IO_URING_CQ_TAIL, number('CqTail') ?? 0);
  writer.setU32(at + abi.FDINFO_IO_URING_FILES, files ?? 0);
  writer.setU32(at + abi.FDINFO_IO_URING_HAS_FILES, files === undefined ? 0 : 1);
}

function userfaultfd(writer: RecordWriter, { values }: FdinfoText): void {
  const match = /^[0-9a-f]+:([0-9a-f]+):/.exec(values.get('API') ?? '');
  if (!match) return;
  const at = writer.attribute(abi.FDINFO_A_USERFAULTFD, abi.SIZEOF_FDINFO_USERFAULTFD);
  writer.setU32(at + abi.FDINFO_USERFAULTFD_FEATURES, Number.parseInt(match[1] as string, 16));
}

function terminal(writer: RecordWriter, { values }: FdinfoText): void {
  const index = decimal(values.get('tty-index'));
  if (index === undefined) return;
  writer.setU32(writer.attribute(abi.FDINFO_A_TTY, abi.SIZEOF_FDINFO_TTY) + abi.FDINFO_TTY_INDEX, index);
}

/** By enum fdinfo_type. */
export const FACTS: ReadonlyMap<number, Facts> = new Map([
  [abi.FDINFO_CHAR, terminal],
  [abi.FDINFO_EVENTFD, eventfd],
  [abi.FDINFO_EPOLL, epoll],
  [abi.FDINFO_TIMERFD, timerfd],
  [abi.FDINFO_SIGNALFD, signalfd],
  [abi.FDINFO_INOTIFY, inotify],
  [abi.FDINFO_FANOTIFY, fanotify],
  [abi.FDINFO_PIDFD, pidfd],
  [abi.FDINFO_BPF_MAP, bpf],
  [abi.FDINFO_BPF_PROG, bpf],
  [abi.FDINFO_BPF_LINK, bpf],
  [abi.FDINFO_IO_URING, ioUring],
  [abi.FDINFO_USERFAULTFD, userfaultfd],
]);

/** FL_* of include/linux/filelock.h. */
const LOCK_KINDS: Readonly<Record<string, number>> = { POSIX: 1, FLOCK: 2, LEASE: 32, OFDLCK: 1024 };

/** `lock: 1: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF`: lock_get_status() of fs/locks.c */
export function locks(writer: RecordWriter, text: FdinfoText, owner: Owner): void {
  const found = linesOf(text, 'lock:').flatMap((line) => {
    const match = /^lock:\s+\d+: (\w+) +\S+ +(\w+) +\S+ \S+ (\d+) (\d+|EOF)/.exec(line);
    return match ? [match] : [];
  });
  if (found.length === 0) return;
  list(writer, owner, abi.FDINFO_A_LOCKS, abi.SIZEOF_FDINFO_LOCK, found, (at, match) => {
    const [, kind = '', type, start = '0', end] = match;
    writer.setU32(at + abi.FDINFO_LOCK_KIND, LOCK_KINDS[kind] ?? 0);
    writer.setU32(at + abi.FDINFO_LOCK_TYPE, type === 'WRITE' ? 1 : 0);
    writer.setU64(at + abi.FDINFO_LOCK_START, BigInt(start));
    writer.setU64(at + abi.FDINFO_LOCK_END, end === 'EOF' ? 0x7fff_ffff_ffff_ffffn : BigInt(end as string));
  });
}
