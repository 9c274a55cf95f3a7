/** What is behind one's own descriptors, asked without touching the files: a dead mount cannot hang it. */

import { constants } from 'node:fs';
import type { Door } from './door.ts';
import { Memory } from './memory.ts';
import * as uapi from './uapi.gen.ts';

const numbers = uapi.SYSCALLS[process.arch as keyof typeof uapi.SYSCALLS];

// include/uapi/linux/fcntl.h and linux/stat.h
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
/** File systems answer from what they hold: FUSE and NFS ask nobody (statx(2)). */
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x1;
const STATX_INO = 0x100;
const LINK_BYTES = 4096;

export class OwnDescriptors {
  readonly #door: Door;
  readonly #empty: Memory;
  readonly #answer: Memory;
  readonly #path: Memory;
  readonly #link: Memory;

  constructor(door: Door) {
    this.#door = door;
    this.#empty = new Memory(door, 8);
    this.#answer = new Memory(door, uapi.SIZEOF_STATX);
    this.#path = new Memory(door, 32);
    this.#link = new Memory(door, LINK_BYTES);
  }

  /** statx(2) of an open descriptor: 0 or a negative errno; the answer is in the getters below. */
  stat(fd: number): number {
    const flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    const mask = STATX_TYPE | STATX_INO;
    return this.#door.syscall(numbers.statx, fd, this.#empty.address, flags, mask, this.#answer.address);
  }

  /**
   * S_IF* of the last {@link stat}; 0 for an anonymous inode (epoll, eventfd, timerfd, …): those have
   * no type, and where the kernel gives them one inside (6.17) anon_inode_getattr() takes it away.
   */
  get type(): number {
    return (this.#answer.u8[uapi.STATX_STX_MODE + 1]! << 8) & constants.S_IFMT;
  }

  /** Which file, as one key: device and inode. */
  get file(): string {
    const { u32, u64 } = this.#answer;
    const device = `${u32[uapi.STATX_STX_DEV_MAJOR >> 2]}:${u32[uapi.STATX_STX_DEV_MINOR >> 2]}`;
    return `${device}:${u64[uapi.STATX_STX_INO >> 3]}`;
  }

  /** Which device a device node stands for, as one key. */
  get device(): string {
    const { u32 } = this.#answer;
    return `${u32[uapi.STATX_STX_RDEV_MAJOR >> 2]}:${u32[uapi.STATX_STX_RDEV_MINOR >> 2]}`;
  }

  /** What /proc calls a descriptor (proc_pid_fd(5)), or a negative errno; ENOENT where there is no /proc. */
  link(fd: number): string | number {
    Buffer.from(this.#path.buffer).write(`/proc/self/fd/${fd}\0`, 'latin1');
    const length = this.#door.syscall(
      numbers.readlinkat,
      AT_FDCWD,
      this.#path.address,
      this.#link.address,
      LINK_BYTES,
    );
    if (length < 0) return length;
    return Buffer.from(this.#link.buffer, 0, length).toString();
  }
}
