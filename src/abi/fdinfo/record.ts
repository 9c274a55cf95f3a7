/**
 * A record of a descriptor in the bytes that it came in, and what is read out of
 * it when it is asked for. Rows of 100,000 descriptors cost little more than
 * their bytes.
 */

import { endianness } from 'node:os';
import { DecodeError } from '../../errors.ts';
import * as abi from '../layout.gen.ts';
import { textOf } from './text.ts';

/** TASK_COMM_LEN of include/linux/sched.h */
const COMMAND_BYTES = 16;

/** Where records come from, as far as their meaning or an error's place depends on it. */
export interface Origin {
  /** Where the chunk begins in the file that it was read from. */
  readonly base: number;
  /** process.arch of the machine that wrote them. */
  readonly arch: string;
}

const HERE: Origin = { base: 0, arch: process.arch };
const BIG_ENDIAN = endianness() === 'BE';

/** Bytes of whole records, 8-byte aligned, with the views that they are read through. */
export class Chunk {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  #buffer: Buffer | undefined;
  readonly #command = new Uint32Array(COMMAND_BYTES / 4);
  #commandText = '';
  readonly origin: Origin;

  /** @param swap records are little-endian: are this machine's words not? */
  constructor(buffer: ArrayBuffer, length = buffer.byteLength, origin = HERE, swap = BIG_ENDIAN) {
    const words = swap ? swapped(buffer, length) : buffer;
    this.u8 = new Uint8Array(buffer, 0, length);
    this.u32 = new Uint32Array(words, 0, length >> 2);
    this.i32 = new Int32Array(words, 0, length >> 2);
    this.origin = origin;
  }

  static copyOf(bytes: Uint8Array, origin = HERE): Chunk {
    const buffer = new ArrayBuffer((bytes.length + 7) & ~7);
    new Uint8Array(buffer).set(bytes);
    return new Chunk(buffer, bytes.length, origin);
  }

  /** @returns for the caller to throw: `at` is an offset in this chunk */
  damage(what: string, at: number): DecodeError {
    return new DecodeError(what, this.origin.base + at);
  }

  u16(at: number): number {
    return (this.u8[at] as number) | ((this.u8[at + 1] as number) << 8);
  }

  word(at: number): number {
    return this.u32[at >> 2] as number;
  }

  int(at: number): number {
    return this.i32[at >> 2] as number;
  }

  /** A 64-bit number; a bigint where a double would not hold it. */
  long(at: number): number | bigint {
    const high = this.u32[(at >> 2) + 1] as number;
    const low = this.u32[at >> 2] as number;
    return high < 0x20_0000 ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low);
  }

  /** A signed one. */
  signed(at: number): number | bigint {
    const high = this.i32[(at >> 2) + 1] as number;
    const low = this.u32[at >> 2] as number;
    return high >= -0x20_0000 && high < 0x20_0000
      ? high * 2 ** 32 + low
      : (BigInt(high) << 32n) | BigInt(low);
  }

  /** The `length` bytes at `at`, a multiple of 4, as textOf() has them. */
  text(at: number, length: number): string {
    const end = at + length;
    let i = at;
    for (; i + 4 <= end; i += 4) if (((this.u32[i >> 2] as number) & 0x8080_8080) !== 0) break;
    if (i + 4 <= end) return textOf(this.u8.subarray(at, end));
    for (; i < end; i++) if ((this.u8[i] as number) >= 0x80) return textOf(this.u8.subarray(at, end));
    this.#buffer ??= Buffer.from(this.u8.buffer as ArrayBuffer);
    return this.#buffer.toString('latin1', at, end);
  }

  /** The name of a process at `at`: rows of one process follow each other, and share it. */
  command(at: number): string {
    const first = at >> 2;
    let same = true;
    for (let i = 0; i < COMMAND_BYTES / 4; i++) {
      const word = this.u32[first + i] as number;
      if (this.#command[i] === word) continue;
      same = false;
      this.#command[i] = word;
    }
    if (same) return this.#commandText;
    const nul = this.u8.subarray(at, at + COMMAND_BYTES).indexOf(0);
    this.#commandText = this.text(at, nul < 0 ? COMMAND_BYTES : nul);
    return this.#commandText;
  }

  /** 16 hexadecimal digits. */
  hex(at: number): string {
    let text = '';
    for (let i = at + 7; i >= at; i--) text += HEX[this.u8[i] as number];
    return text;
  }

  kind(at: number): number {
    return (this.u32[(at + abi.FDMAP_RECORD_KIND) >> 2] as number) & 0xffff;
  }

  size(at: number): number {
    return this.u32[at >> 2] as number;
  }

  /**
   * Checks the head of the record at `at` and returns where the next one is.
   *
   * @throws DecodeError
   */
  check(at: number): number {
    const left = this.u8.length - at;
    if (left < abi.SIZEOF_FDMAP_RECORD) throw this.damage('a record is cut off', at);
    const size = this.u32[at >> 2] as number;
    const kindAndFixed = this.u32[(at + abi.FDMAP_RECORD_KIND) >> 2] as number;
    const fixed = kindAndFixed >>> 16;
    if (size > left || size % 8 !== 0 || size < fixed)
      throw this.damage(`a record of ${size} bytes where ${left} are left`, at);
    if (fixed < leastFixed(kindAndFixed & 0xffff) || fixed % 4 !== 0)
      throw this.damage(`a record with a fixed part of ${fixed} bytes`, at);
    const version = (this.u32[(at + abi.FDMAP_RECORD_VERSION) >> 2] as number) & 0xffff;
    if (version !== abi.FDMAP_FORMAT) throw this.damage(`a record of version ${version}`, at);
    return at + size;
  }

  /**
   * Offset of the head of an attribute whose struct has at least `least` bytes; 0 if the record has none.
   *
   * @throws DecodeError
   */
  attribute(record: number, type: number, least: number): number {
    const end = record + this.size(record);
    let at = record + this.u16(record + abi.FDMAP_RECORD_FIXED);
    while (end - at >= abi.SIZEOF_FDMAP_ATTRIBUTE) {
      const head = this.u32[at >> 2] as number;
      const length = head & 0xffff;
      if (head === 0) return 0;
      if (length < abi.SIZEOF_FDMAP_ATTRIBUTE || length > end - at)
        throw this.damage(`an attribute of ${length} bytes where ${end - at} are left`, at);
      if (head >>> 16 === type) {
        if (length < least) throw this.damage(`attribute ${type} has only ${length} bytes`, at);
        return at;
      }
      at += (length + 3) & ~3;
    }
    return 0;
  }

  /** Bytes behind the head of an attribute. */
  payload(record: number, type: number): Uint8Array | undefined {
    const at = this.attribute(record, type, abi.SIZEOF_FDMAP_ATTRIBUTE);
    return at === 0 ? undefined : this.u8.subarray(at + abi.SIZEOF_FDMAP_ATTRIBUTE, at + this.u16(at));
  }

  /**
   * Elements of a list, those of the records that go on with it included; undefined when there is no list.
   *
   * @param read gets the offset of each element
   */
  list<T>(record: number, type: number, size: number, read: (at: number) => T): T[] | undefined {
    let found: T[] | undefined;
    let at = record;
    do {
      const list = this.attribute(at, type, abi.SIZEOF_FDINFO_LIST);
      if (list !== 0) {
        found ??= [];
        const end = list + this.u16(list);
        for (let i = list + abi.SIZEOF_FDINFO_LIST; i + size <= end; i += size) found.push(read(i));
      }
      at += this.size(at);
    } while (at < this.u8.length && this.kind(at) === abi.FDINFO_KIND_MORE);
    return found;
  }

  /** Was the record, or the last one that goes on with it, cut short? */
  truncated(record: number): boolean {
    let at = record;
    let flags = 0;
    do {
      flags |= this.u16(at + abi.FDMAP_RECORD_FLAGS);
      at += this.size(at);
    } while (at < this.u8.length && this.kind(at) === abi.FDINFO_KIND_MORE);
    return (flags & abi.FDMAP_TRUNCATED) !== 0;
  }
}

/** Two digits of each byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The words of `buffer` in the other order of bytes. */
function swapped(buffer: ArrayBuffer, length: number): ArrayBuffer {
  const copy = buffer.slice(0, length);
  Buffer.from(copy, 0, length & ~3).swap32();
  return copy;
}

function leastFixed(kind: number): number {
  if (kind === abi.FDMAP_KIND_DESCRIPTOR) return abi.SIZEOF_FDINFO_RECORD;
  return kind === abi.FDINFO_KIND_MORE ? abi.SIZEOF_FDINFO_MORE : abi.SIZEOF_FDMAP_RECORD;
}
