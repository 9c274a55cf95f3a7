/** What waits: eventfd, epoll, timerfd, signalfd, inotify, fanotify. */

import { constants } from 'node:os';
import * as abi from '../layout.gen.ts';
import { DescriptorBase } from './descriptor.ts';
import { bitNames, deviceName, UNKNOWN_FLAGS } from './flags.ts';

export class EventfdDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'eventfd';
  }

  private own(): number {
    return this.facts(abi.FDINFO_A_EVENTFD, abi.SIZEOF_FDINFO_EVENTFD);
  }

  get count(): number | bigint | undefined {
    const at = this.own();
    return at === 0 ? undefined : this.chunk.long(at + abi.FDINFO_EVENTFD_COUNT);
  }

  /** The kernel's number of it: equal wherever the same eventfd is open. */
  get id(): number | undefined {
    const at = this.own();
    const id = at === 0 ? -1 : this.chunk.int(at + abi.FDINFO_EVENTFD_ID);
    return id < 0 ? undefined : id;
  }

  /** EFD_SEMAPHORE; not known from /proc before Linux 6.5. */
  get semaphore(): boolean | undefined {
    const at = this.own();
    const flags = at === 0 ? UNKNOWN_FLAGS : this.chunk.word(at + abi.FDINFO_EVENTFD_FLAGS);
    return flags === UNKNOWN_FLAGS ? undefined : flags === 1;
  }

  protected override get ownMembers(): readonly string[] {
    return ['count', 'id', 'semaphore'];
  }
}

/** include/uapi/linux/eventpoll.h */
const EPOLL_EVENTS = [
  [0x1, 'IN'],
  [0x2, 'PRI'],
  [0x4, 'OUT'],
  [0x8, 'ERR'],
  [0x10, 'HUP'],
  [0x20, 'NVAL'],
  [0x40, 'RDNORM'],
  [0x80, 'RDBAND'],
  [0x100, 'WRNORM'],
  [0x200, 'WRBAND'],
  [0x400, 'MSG'],
  [0x2000, 'RDHUP'],
  [1 << 28, 'EXCLUSIVE'],
  [1 << 29, 'WAKEUP'],
  [1 << 30, 'ONESHOT'],
  [1 << 31, 'ET'],
] as const;

/** A descriptor that an epoll watches: the number that it had when it was added. */
export interface EpollTarget {
  readonly fd: number;
  readonly events: readonly string[];
  /** What epoll_wait(2) hands back, 16 hexadecimal digits. */
  readonly data: string;
  readonly inode: number | bigint;
  readonly dev: string;
  /** Of the open file; undefined in the proc backend. */
  readonly fileId?: string;
}

export class EpollDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'epoll';
  }

  get targets(): EpollTarget[] | undefined {
    const { chunk } = this;
    return chunk.list(this.at, abi.FDINFO_A_EPOLL, abi.SIZEOF_FDINFO_TARGET, (at) => {
      const fileId = chunk.hex(at + abi.FDINFO_TARGET_FILE_ID);
      return {
        fd: chunk.int(at + abi.FDINFO_TARGET_FD),
        events: bitNames(chunk.word(at + abi.FDINFO_TARGET_EVENTS), EPOLL_EVENTS),
        data: chunk.hex(at + abi.FDINFO_TARGET_DATA),
        inode: chunk.long(at + abi.FDINFO_TARGET_INODE),
        dev: deviceName(chunk.word(at + abi.FDINFO_TARGET_DEV)),
        ...(fileId === '0000000000000000' ? {} : { fileId }),
      };
    });
  }

  protected override get ownMembers(): readonly string[] {
    return ['targets'];
  }
}

/** include/uapi/linux/time.h */
const CLOCKS = [
  'realtime',
  'monotonic',
  'process_cputime',
  'thread_cputime',
  'monotonic_raw',
  'realtime_coarse',
  'monotonic_coarse',
  'boottime',
  'realtime_alarm',
  'boottime_alarm',
  'sgi_cycle',
  'tai',
];

const NANOSECONDS = 1e6;

export class TimerfdDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'timerfd';
  }

  private own(): number {
    return this.facts(abi.FDINFO_A_TIMERFD, abi.SIZEOF_FDINFO_TIMERFD);
  }

  private milliseconds(offset: number): number | undefined {
    const at = this.own();
    return at === 0 ? undefined : Number(this.chunk.long(at + offset)) / NANOSECONDS;
  }

  get clock(): string | undefined {
    const at = this.own();
    if (at === 0) return undefined;
    const number = this.chunk.int(at + abi.FDINFO_TIMERFD_CLOCK);
    return CLOCKS[number] ?? String(number);
  }

  /** Milliseconds to the next expiry; 0 when it is not armed. */
  get remaining(): number | undefined {
    const at = this.own();
    if (at === 0 || this.chunk.word(at + abi.FDINFO_TIMERFD_HAS_REMAINING) === 0) return undefined;
    return this.milliseconds(abi.FDINFO_TIMERFD_REMAINING);
  }

  /** In milliseconds; 0 for a timer that expires once. */
  get interval(): number | undefined {
    return this.milliseconds(abi.FDINFO_TIMERFD_INTERVAL);
  }

  /** Expiries that nobody has read yet. */
  get ticks(): number | bigint | undefined {
    const at = this.own();
    return at === 0 ? undefined : this.chunk.long(at + abi.FDINFO_TIMERFD_TICKS);
  }

  protected override get ownMembers(): readonly string[] {
    return ['clock', 'remaining', 'interval', 'ticks'];
  }
}

/** Names by number; real-time signals count from 34, glibc's SIGRTMIN. */
const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name.slice(3)]));
const FIRST_REALTIME = 34;

function signalName(number: number): string {
  const name = number < 32 ? SIGNALS.get(number) : undefined;
  if (name) return name === 'IOT' ? 'ABRT' : name === 'POLL' ? 'IO' : name;
  return number >= FIRST_REALTIME ? `RTMIN+${number - FIRST_REALTIME}` : `SIG${number}`;
}

export class SignalfdDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'signalfd';
  }

  /** The signals that it takes, by name without `SIG`. */
  get mask(): string[] | undefined {
    const at = this.facts(abi.FDINFO_A_SIGNALFD, abi.SIZEOF_FDINFO_SIGNALFD);
    if (at === 0) return undefined;
    const low = this.chunk.word(at + abi.FDINFO_SIGNALFD_MASK);
    const high = this.chunk.word(at + abi.FDINFO_SIGNALFD_MASK + 4);
    const names: string[] = [];
    for (let bit = 0; bit < 64; bit++) {
      if (((bit < 32 ? low : high) >>> (bit & 31)) & 1) names.push(signalName(bit + 1));
    }
    return names;
  }

  protected override get ownMembers(): readonly string[] {
    return ['mask'];
  }
}

/** include/uapi/linux/inotify.h, include/uapi/linux/fanotify.h: the same bits where both have them. */
const NOTIFY_EVENTS = [
  [0x1, 'ACCESS'],
  [0x2, 'MODIFY'],
  [0x4, 'ATTRIB'],
  [0x8, 'CLOSE_WRITE'],
  [0x10, 'CLOSE_NOWRITE'],
  [0x20, 'OPEN'],
  [0x40, 'MOVED_FROM'],
  [0x80, 'MOVED_TO'],
  [0x100, 'CREATE'],
  [0x200, 'DELETE'],
  [0x400, 'DELETE_SELF'],
  [0x800, 'MOVE_SELF'],
] as const;
const INOTIFY_BITS = [...NOTIFY_EVENTS, [0x0400_0000, 'EXCL_UNLINK'], [1 << 31, 'ONESHOT']] as const;
const FANOTIFY_BITS = [
  ...NOTIFY_EVENTS,
  [0x1000, 'OPEN_EXEC'],
  [0x8000, 'FS_ERROR'],
  [0x1_0000, 'OPEN_PERM'],
  [0x2_0000, 'ACCESS_PERM'],
  [0x4_0000, 'OPEN_EXEC_PERM'],
  [0x10_0000, 'PRE_ACCESS'],
  [0x800_0000, 'EVENT_ON_CHILD'],
  [0x1000_0000, 'RENAME'],
  [0x4000_0000, 'ONDIR'],
] as const;

export interface InotifyWatch {
  readonly wd: number;
  readonly mask: readonly string[];
  readonly inode: number | bigint;
  readonly dev: string;
}

export class InotifyDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'inotify';
  }

  get watches(): InotifyWatch[] | undefined {
    const { chunk } = this;
    return chunk.list(this.at, abi.FDINFO_A_INOTIFY, abi.SIZEOF_FDINFO_WATCH, (at) => ({
      wd: chunk.int(at + abi.FDINFO_WATCH_WD),
      mask: bitNames(chunk.word(at + abi.FDINFO_WATCH_MASK), INOTIFY_BITS),
      inode: chunk.long(at + abi.FDINFO_WATCH_INODE),
      dev: deviceName(chunk.word(at + abi.FDINFO_WATCH_DEV)),
    }));
  }

  protected override get ownMembers(): readonly string[] {
    return ['watches'];
  }
}

const MARK_KINDS = ['inode', 'mount', 'filesystem', 'mntns'] as const;

export interface FanotifyMark {
  readonly kind: (typeof MARK_KINDS)[number];
  readonly mask: readonly string[];
  readonly ignored: readonly string[];
  /** Of a mark on an inode. */
  readonly inode?: number | bigint;
  readonly dev?: string;
}

export class FanotifyDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'fanotify';
  }

  get watches(): FanotifyMark[] | undefined {
    const { chunk } = this;
    return chunk.list(this.at, abi.FDINFO_A_FANOTIFY, abi.SIZEOF_FDINFO_WATCH, (at) => {
      const kind = MARK_KINDS[chunk.word(at + abi.FDINFO_WATCH_KIND)] ?? 'inode';
      const inode = chunk.long(at + abi.FDINFO_WATCH_INODE);
      return {
        kind,
        mask: bitNames(chunk.word(at + abi.FDINFO_WATCH_MASK), FANOTIFY_BITS),
        ignored: bitNames(chunk.word(at + abi.FDINFO_WATCH_IGNORED), FANOTIFY_BITS),
        ...(kind === 'inode' ? { inode, dev: deviceName(chunk.word(at + abi.FDINFO_WATCH_DEV)) } : {}),
      };
    });
  }

  /** As given to fanotify_init(2). */
  get initFlags(): number | undefined {
    const at = this.facts(abi.FDINFO_A_FANOTIFY_GROUP, abi.SIZEOF_FDINFO_FANOTIFY_GROUP);
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_FANOTIFY_GROUP_FLAGS);
  }

  protected override get ownMembers(): readonly string[] {
    return ['watches', 'initFlags'];
  }
}
