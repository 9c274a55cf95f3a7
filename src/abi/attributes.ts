/**
 * Records with attributes in the format of struct nlattr (bpf/fdmap.h,
 * docs/abi.md): what the kernel's programs answer with and what an image holds.
 *
 * Readers trust nothing: bytes may come from a file. What is out of bounds is a
 * DecodeError; types and kinds that are not known are stepped over.
 */

import { DecodeError } from '../errors.ts';
import {
  FDMAP_FORMAT,
  FDMAP_RECORD_ERROR,
  FDMAP_RECORD_FIXED,
  FDMAP_RECORD_FLAGS,
  FDMAP_RECORD_KIND,
  FDMAP_RECORD_MASK,
  FDMAP_RECORD_SIZE,
  FDMAP_RECORD_VERSION,
  SIZEOF_FDMAP_ATTRIBUTE,
  SIZEOF_FDMAP_RECORD,
} from './layout.gen.ts';

const LITTLE_ENDIAN = true;

/** Types that {@link RecordReader.attribute} finds; greater ones are stepped over. */
export const ATTRIBUTE_TYPES = 64;

/**
 * Walks the records of a buffer, one at a time. All members are about the
 * record that the last {@link next} went to; `offset`s are those of `view`.
 */
export class RecordReader {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Where the record begins. */
  at = 0;
  size = 0;
  kind = 0;
  /** Length of the fixed part. */
  fixed = 0;
  flags = 0;
  /** 0 or a negative errno. */
  error = 0;
  /** The lower and the upper half of the mask of valid fields. */
  mask = 0;
  maskHigh = 0;
  readonly #offsets = new Int32Array(ATTRIBUTE_TYPES);
  readonly #lengths = new Int32Array(ATTRIBUTE_TYPES);
  /** Which record has put them there, counted by {@link next}: what is older is of another. */
  readonly #records = new Int32Array(ATTRIBUTE_TYPES);
  #record = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes to the record at `at` without reading what is before it. */
  seek(at: number): void {
    this.at = at;
    this.size = 0;
  }

  /**
   * Goes to the next record; false at the end.
   *
   * @throws DecodeError
   */
  next(): boolean {
    if (!this.skim()) return false;
    this.#index(this.at + this.fixed, this.at + this.size);
    return true;
  }

  /**
   * As {@link next}, but the attributes are not looked at: for what the fixed part tells.
   *
   * @throws DecodeError
   */
  skim(): boolean {
    const { view } = this;
    const at = this.at + this.size;
    const end = view.byteLength;
    if (at === end) return false;
    if (end - at < SIZEOF_FDMAP_RECORD) throw new DecodeError('a record is cut off', at);
    const size = view.getUint32(at + FDMAP_RECORD_SIZE, LITTLE_ENDIAN);
    const fixed = view.getUint16(at + FDMAP_RECORD_FIXED, LITTLE_ENDIAN);
    if (size % 8 !== 0 || size < fixed || size > end - at)
      throw new DecodeError(`a record of ${size} bytes where ${end - at} are left`, at);
    if (fixed % 4 !== 0 || fixed < SIZEOF_FDMAP_RECORD)
      throw new DecodeError(`a record with a fixed part of ${fixed} bytes`, at);
    const version = view.getUint16(at + FDMAP_RECORD_VERSION, LITTLE_ENDIAN);
    if (version !== FDMAP_FORMAT) throw new DecodeError(`a record of version ${version}`, at);
    this.at = at;
    this.size = size;
    this.fixed = fixed;
    this.kind = view.getUint16(at + FDMAP_RECORD_KIND, LITTLE_ENDIAN);
    this.flags = view.getUint16(at + FDMAP_RECORD_FLAGS, LITTLE_ENDIAN);
    this.error = view.getInt32(at + FDMAP_RECORD_ERROR, LITTLE_ENDIAN);
    this.mask = view.getUint32(at + FDMAP_RECORD_MASK, LITTLE_ENDIAN);
    this.maskHigh = view.getUint32(at + FDMAP_RECORD_MASK + 4, LITTLE_ENDIAN);
    return true;
  }

  #index(start: number, end: number): void {
    const { view } = this;
    if (++this.#record === 0x7fff_ffff) {
      this.#records.fill(0);
      this.#record = 1;
    }
    let at = start;
    while (end - at >= SIZEOF_FDMAP_ATTRIBUTE) {
      const length = view.getUint16(at, LITTLE_ENDIAN);
      const type = view.getUint16(at + 2, LITTLE_ENDIAN);
      // Padding of the record, which is longer than that of its last attribute.
      if (length === 0 && type === 0) break;
      if (length < SIZEOF_FDMAP_ATTRIBUTE || length > end - at)
        throw new DecodeError(`an attribute of ${length} bytes where ${end - at} are left`, at);
      if (type < ATTRIBUTE_TYPES) {
        this.#offsets[type] = at;
        this.#lengths[type] = length;
        this.#records[type] = this.#record;
      }
      at += (length + 3) & ~3;
    }
  }

  /**
   * Offset of the attribute's head, whose struct has at least `size` bytes; 0 when the record has none.
   *
   * @throws DecodeError when it is shorter
   */
  attribute(type: number, size: number): number {
    const at = this.#records[type] === this.#record ? (this.#offsets[type] as number) : 0;
    if (at !== 0 && (this.#lengths[type] as number) < size)
      throw new DecodeError(`attribute ${type} has not the ${size} bytes that it should have`, at);
    return at;
  }

  /** Bytes behind the attribute's head; undefined when the record has none. */
  payload(type: number): Uint8Array | undefined {
    const at = this.attribute(type, SIZEOF_FDMAP_ATTRIBUTE);
    return at === 0
      ? undefined
      : this.bytes.subarray(at + SIZEOF_FDMAP_ATTRIBUTE, at + (this.#lengths[type] as number));
  }

  u8(offset: number): number {
    return this.view.getUint8(offset);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, LITTLE_ENDIAN);
  }

  i32(offset: number): number {
    return this.view.getInt32(offset, LITTLE_ENDIAN);
  }

  u64(offset: number): bigint {
    return this.view.getBigUint64(offset, LITTLE_ENDIAN);
  }

  /** A 64-bit number as a double: exact below 2^53. */
  number(offset: number): number {
    const { view } = this;
    return view.getUint32(offset + 4, LITTLE_ENDIAN) * 2 ** 32 + view.getUint32(offset, LITTLE_ENDIAN);
  }

  /** UTF-8 up to a NUL byte or `length`. */
  text(offset: number, length: number): string {
    const { bytes } = this;
    let end = offset;
    let text = '';
    for (; end < offset + length; end++) {
      const byte = bytes[end] as number;
      if (byte === 0) return text;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (end === offset + length) return text;
    const nul = bytes.subarray(offset, offset + length).indexOf(0);
    return Buffer.from(bytes.buffer, bytes.byteOffset + offset, nul < 0 ? length : nul).toString();
  }
}

/** Writes records into memory that grows. */
export class RecordWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #begin = 0;
  #end = 0;
  #mask = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Begins a record whose fixed part has `fixed` bytes, zeroed; what was begun and not ended is dropped. */
  begin(kind: number, fixed: number): this {
    this.#reserve(fixed);
    this.#bytes.fill(0, this.#begin, this.#begin + fixed);
    this.#end = this.#begin + fixed;
    this.#mask = 0;
    this.#view.setUint16(this.#begin + FDMAP_RECORD_KIND, kind, LITTLE_ENDIAN);
    this.#view.setUint16(this.#begin + FDMAP_RECORD_FIXED, fixed, LITTLE_ENDIAN);
    this.#view.setUint16(this.#begin + FDMAP_RECORD_VERSION, FDMAP_FORMAT, LITTLE_ENDIAN);
    return this;
  }

  /**
   * Adds an attribute of `size` bytes, its head included, zeroed.
   *
   * @returns the offset of its head, for the setters
   */
  attribute(type: number, size: number): number {
    const at = this.#end;
    const padded = (size + 3) & ~3;
    if (size > 0xffff) throw new RangeError(`an attribute of ${size} bytes; 65535 is the most`);
    this.#end += padded;
    this.#reserve(this.#end - this.#begin);
    this.#bytes.fill(0, at, this.#end);
    this.#view.setUint16(at, size, LITTLE_ENDIAN);
    this.#view.setUint16(at + 2, type, LITTLE_ENDIAN);
    return at;
  }

  /** Adds an attribute with `payload` behind its head. */
  payload(type: number, payload: Uint8Array): this {
    const at = this.attribute(type, SIZEOF_FDMAP_ATTRIBUTE + payload.length);
    this.#bytes.set(payload, at + SIZEOF_FDMAP_ATTRIBUTE);
    return this;
  }

  /** Declares the fields of bit `bit` (below 32) valid. */
  valid(bit: number): this {
    this.#mask |= 1 << bit;
    return this;
  }

  /** Offsets from the record's beginning, for members of its fixed part. */
  fixed(offset: number): number {
    return this.#begin + offset;
  }

  setU32(at: number, value: number): this {
    this.#view.setUint32(at, value, LITTLE_ENDIAN);
    return this;
  }

  /** A whole number from 0 to 2^53. */
  setNumber(at: number, value: number): this {
    return this.setU32(at, value % 2 ** 32).setU32(at + 4, value / 2 ** 32);
  }

  setU64(at: number, value: bigint): this {
    this.#view.setBigUint64(at, value, LITTLE_ENDIAN);
    return this;
  }

  setBytes(at: number, bytes: Uint8Array): this {
    this.#bytes.set(bytes, at);
    return this;
  }

  end(error = 0): void {
    const end = (this.#end + 7) & ~7;
    this.#reserve(end - this.#begin);
    this.#bytes.fill(0, this.#end, end);
    this.#view.setUint32(this.#begin + FDMAP_RECORD_SIZE, end - this.#begin, LITTLE_ENDIAN);
    this.#view.setInt32(this.#begin + FDMAP_RECORD_ERROR, error, LITTLE_ENDIAN);
    this.#view.setUint32(this.#begin + FDMAP_RECORD_MASK, this.#mask, LITTLE_ENDIAN);
    this.#begin = end;
    this.#end = end;
  }

  /** The finished records; a view that the next `begin()` may leave behind. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#begin);
  }

  #reserve(bytes: number): void {
    const needed = this.#begin + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, Math.max(this.#begin, this.#end)));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
