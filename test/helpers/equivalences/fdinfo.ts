/** Lines of /proc/PID/fdinfo: proc_pid_fdinfo(5). */

import { constants as SYSTEM } from 'node:os';
import { bits, type Equivalence, is, mapped, type Numbers, type Row, text } from './table.ts';

const CLOCKS: Readonly<Record<string, string>> = { realtime: '0', monotonic: '1', boottime: '7' };
const milliseconds = (pair: string) => {
  const [seconds = 0, nanoseconds = 0] = pair.replace(/[()]/g, '').split(',').map(Number);
  return seconds * 1000 + nanoseconds / 1e6;
};

/** include/uapi/linux/eventpoll.h */
const EPOLL_BITS: Numbers = { IN: 1, ERR: 8, HUP: 16, ET: 2 ** 31 };
interface Target {
  readonly fd: number;
  readonly events: readonly string[];
  readonly data: string;
  readonly inode?: number;
}
const targetWords = (row: Row) =>
  (row.targets as Target[])
    .map(({ fd, events, data, inode }) => {
      const mask = events.reduce((sum, name) => sum + (EPOLL_BITS[name] ?? Number.NaN), 0);
      return `${fd} ${mask.toString(16)} ${BigInt(`0x${data}`).toString(16)} ${inode?.toString(16)}`;
    })
    .sort()
    .join('|');
const targetLines = (lines: string) =>
  lines
    .split('|')
    .map((line) => /^(\d+) events: +(\S+) data: +(\S+) +pos:\S+ ino:(\S+)/.exec(line)?.slice(1).join(' '))
    .sort()
    .join('|');

/** include/uapi/linux/inotify.h */
const INOTIFY_BITS: Numbers = { CREATE: 0x100, DELETE: 0x200 };
interface Watch {
  readonly wd: number;
  readonly mask: readonly string[];
  readonly inode: number;
}
const watchWords = (row: Row) =>
  (row.watches as Watch[])
    .map(({ wd, mask, inode }) => {
      const sum = mask.reduce((total, name) => total + (INOTIFY_BITS[name] ?? Number.NaN), 0);
      return `${wd} ${inode.toString(16)} ${sum.toString(16)}`;
    })
    .join('|');
const watchLines = (lines: string) =>
  lines
    .split('|')
    .map((line) => /wd:(\S+) ino:(\S+) sdev:\S+ mask:(\S+)/.exec(line)?.slice(1).join(' '))
    .join('|');

const lockWords = (row: Row) =>
  (row.locks as { kind: string; type: string; start: number; end?: number }[])
    .map(({ kind, type, start, end }) => `${kind} ${type} ${start} ${end ?? 'eof'}`)
    .join('|');
const lockLines = (lines: string) =>
  lines
    .split('|')
    .map((line) => {
      const [, kind, , type, , , start, end] = line.split(/\s+/);
      return `${kind} ${type} ${start} ${end}`.toLowerCase();
    })
    .join('|');

const ring = (member: string, part: string) => (row: Row) =>
  (row[member] as Readonly<Record<string, number>>)[part]!;

const signalMask = (row: Row) =>
  (row.mask as string[])
    .reduce((sum, name) => sum | (1n << BigInt((SYSTEM.signals as Numbers)[`SIG${name}`]! - 1)), 0n)
    .toString(16)
    .padStart(16, '0');

export const FDINFO: readonly Equivalence[] = [
  { ours: 'pos', theirs: 'pos', of: text('pos') },
  { ours: 'flags', theirs: 'flags', of: bits, read: (octal) => Number.parseInt(octal, 8) },
  { ours: 'mountId', theirs: 'mnt_id', of: text('mountId') },
  { ours: 'inode', theirs: 'ino', of: text('inode') },
  { ours: 'locks', theirs: 'lock', of: lockWords, read: lockLines },
  {
    ours: 'count',
    theirs: 'eventfd-count',
    of: ({ count }) => Number(count),
    read: (hex) => Number(`0x${hex}`),
  },
  { ours: 'id', theirs: 'eventfd-id', of: text('id'), only: is('eventfd') },
  { ours: 'semaphore', theirs: 'eventfd-semaphore', of: ({ semaphore }) => Number(semaphore), read: Number },
  { ours: 'targets', theirs: 'tfd', of: targetWords, read: targetLines },
  { ours: 'clock', theirs: 'clockid', of: mapped(CLOCKS, 'clock') },
  { ours: 'ticks', theirs: 'ticks', of: text('ticks') },
  { ours: 'interval', theirs: 'it_interval', of: ({ interval }) => Number(interval), read: milliseconds },
  // Both run down: within a minute.
  {
    ours: 'remaining',
    theirs: 'it_value',
    of: ({ remaining }) => Number(remaining),
    read: (pair, row) => within(milliseconds(pair), Number(row.remaining), 60_000),
  },
  { ours: 'mask', theirs: 'sigmask', of: signalMask },
  { ours: 'watches', theirs: 'inotify', of: watchWords, read: watchLines, only: is('inotify') },
  {
    ours: 'initFlags',
    theirs: 'fanotify',
    of: ({ initFlags }) => Number(initFlags),
    read: (line) => Number(`0x${/flags:(\S+)/.exec(line)?.[1]}`),
  },
  { ours: 'target', theirs: 'Pid', of: text('target') },
  { ours: 'submission', theirs: 'SqMask', of: (row) => ring('submission', 'entries')(row) - 1, read: Number },
  { ours: 'submission', theirs: 'SqHead', of: ring('submission', 'head'), read: Number },
  { ours: 'submission', theirs: 'SqTail', of: ring('submission', 'tail'), read: Number },
  { ours: 'completion', theirs: 'CqMask', of: (row) => ring('completion', 'entries')(row) - 1, read: Number },
  { ours: 'completion', theirs: 'CqHead', of: ring('completion', 'head'), read: Number },
  { ours: 'completion', theirs: 'CqTail', of: ring('completion', 'tail'), read: Number },
  { ours: 'registeredFiles', theirs: 'UserFiles', of: text('registeredFiles') },
];

/** `ours` where `theirs` is near enough. */
const within = (theirs: number, ours: number, most: number) =>
  Math.abs(theirs - ours) <= most ? ours : theirs;
