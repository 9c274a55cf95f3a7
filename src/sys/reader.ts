/** Whole files: open, read to the end, close, and nothing else; no size is asked, /proc and /sys have none. */

import { constants } from 'node:fs';
import { close, openat } from './calls.ts';
import type { Door } from './door.ts';
import { EFBIG, EINTR, ENAMETOOLONG } from './errno.ts';
import { Memory } from './memory.ts';
import { SYSCALLS } from './uapi.gen.ts';

const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];

/** PATH_MAX of include/uapi/linux/limits.h, the final NUL included. */
const PATH_MAX = 4096;
/** Small files are read one behind the other into slabs, as Buffer's pool does: no copy, no memory of their own. */
const SLAB_BYTES = 64 * 1024;
/** Less than this left, and a new slab is begun: one read(2) should do for what /proc and /sys have. */
const LEAST_ROOM = 4096;
/** Files that come near the room of a slab get memory of their own. */
const LARGE = SLAB_BYTES / 4;
/** What is longer is not a file to read whole; {@link Memory} ends there as well. */
const MAX_BYTES = 2 ** 30;

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOCTTY | 0o2000000; /* O_CLOEXEC, which node:fs lacks */

export class FileReader {
  readonly #door: Door;
  readonly #path: Memory;
  readonly #pathBytes: Buffer;
  #slab: Memory;
  #used = 0;
  /** Addresses of callers' buffers: asking for one costs as much as a system call. */
  readonly #addresses = new WeakMap<ArrayBuffer, number>();
  /** Which call the last negative result is from. */
  failed: 'open' | 'read' = 'open';

  constructor(door: Door) {
    this.#door = door;
    this.#path = new Memory(door, PATH_MAX);
    this.#pathBytes = Buffer.from(this.#path.buffer);
    this.#slab = new Memory(door, SLAB_BYTES);
  }

  /** A descriptor that is close-on-exec, or a negative errno. `path` has no NUL in it. */
  open(directory: number, path: string | Uint8Array, flags: number): number {
    this.failed = 'open';
    const bytes = this.#pathBytes;
    let length: number;
    if (typeof path === 'string') {
      // A character is three bytes at the most, and a pair of surrogates four.
      if (path.length * 3 >= PATH_MAX && Buffer.byteLength(path) >= PATH_MAX) return -ENAMETOOLONG;
      length = bytes.write(path, 0, 'utf8');
    } else {
      if (path.length >= PATH_MAX) return -ENAMETOOLONG;
      bytes.set(path);
      ({ length } = path);
    }
    bytes[length] = 0;
    return openat(this.#door, this.#path, OPEN_FLAGS | flags, directory);
  }

  /**
   * Up to `target.length` bytes from the beginning of a file: three system calls, and one more when
   * `target` is longer than the file. The number of bytes, or a negative errno.
   */
  into(
    target: Uint8Array<ArrayBuffer>,
    directory: number,
    path: string | Uint8Array,
    flags: number,
    atOnce = false,
  ): number {
    const fd = this.open(directory, path, flags);
    if (fd < 0) return fd;
    const address = this.#addressOf(target.buffer) + target.byteOffset;
    const result = this.#fill(fd, address, target.length, 0, atOnce);
    close(this.#door, fd);
    // An address keeps nothing alive: this does, as Memory.keep().
    if (result > 0 && target.buffer.byteLength === 0) throw new Error('memory was detached');
    return result;
  }

  /**
   * The first `max` bytes of a file, or a negative errno. The bytes are never written again.
   *
   * @param atOnce what one read(2) gives is all, if it is not all that there was room for
   */
  read(
    directory: number,
    path: string | Uint8Array,
    flags: number,
    max: number,
    atOnce = false,
  ): Buffer | number {
    const fd = this.open(directory, path, flags);
    if (fd < 0) return fd;
    // Somebody may have transferred a buffer that we handed out: the memory has gone with it.
    if (SLAB_BYTES - this.#used < LEAST_ROOM || this.#slab.buffer.byteLength === 0) {
      this.#slab = new Memory(this.#door, SLAB_BYTES);
      this.#used = 0;
    }
    const slab = this.#slab;
    const at = this.#used;
    const room = Math.min(SLAB_BYTES - at, max);
    const length = this.#fill(fd, slab.address + at, room, 0, atOnce);
    const result = length < room || length === max ? length : this.#readOn(fd, slab.u8.subarray(at), max);
    close(this.#door, fd);
    if (typeof result !== 'number') return result;
    if (length < 0) return length;
    if (length > LARGE) return Buffer.from(slab.u8.subarray(at, at + length));
    // Kept aligned, as Buffer's pool is.
    this.#used = (at + length + 7) & ~7;
    return Buffer.from(slab.buffer, at, length);
  }

  /** The rest of a file whose beginning is `head`, in memory that doubles. */
  #readOn(fd: number, head: Uint8Array, max: number): Buffer | number {
    let bytes = head;
    let { length } = head;
    for (let size = SLAB_BYTES * 4; ; size *= 2) {
      if (size > MAX_BYTES) {
        this.failed = 'read';
        return -EFBIG;
      }
      const memory = new Memory(this.#door, size);
      memory.u8.set(bytes.subarray(0, length));
      bytes = memory.u8;
      const room = Math.min(size, max);
      length = this.#fill(fd, memory.address, room, length);
      memory.keep();
      if (length < 0) return length;
      if (length < room || length === max) return Buffer.from(memory.buffer.slice(0, length));
    }
  }

  /**
   * Reads until `room` bytes are there or the end is. Only a read(2) that returns 0 is the end: those
   * of /proc stop short at the end of a record.
   */
  #fill(fd: number, address: number, room: number, length: number, atOnce = false): number {
    while (length < room) {
      const got = this.#door.syscall(numbers.read, fd, address + length, room - length);
      if (got === 0) break;
      if (got > 0) {
        length += got;
        if (atOnce) break;
      } else if (got !== -EINTR) {
        this.failed = 'read';
        return got;
      }
    }
    return length;
  }

  #addressOf(buffer: ArrayBuffer): number {
    let address = this.#addresses.get(buffer);
    if (address === undefined) {
      address = this.#door.address(buffer);
      this.#addresses.set(buffer, address);
    }
    return address;
  }
}
