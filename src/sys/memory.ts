import type { Door } from './door.ts';

/** Zeroed bytes at a fixed address, with the views that the layouts are written through. */
export class Memory {
  readonly buffer: ArrayBuffer;
  readonly address: number;
  readonly u32: Uint32Array<ArrayBuffer>;
  #u8: Uint8Array<ArrayBuffer> | undefined;
  #i32: Int32Array<ArrayBuffer> | undefined;
  #u64: BigUint64Array<ArrayBuffer> | undefined;
  readonly #targets: Memory[] = [];

  /** @param size in bytes, rounded up to a multiple of 8 */
  constructor(door: Door, size: number) {
    this.buffer = new ArrayBuffer((size + 7) & ~7);
    this.address = door.address(this.buffer);
    this.u32 = new Uint32Array(this.buffer);
  }

  // A view takes as long to make as a short system call does, and few pieces of memory need them all.
  get u8(): Uint8Array<ArrayBuffer> {
    this.#u8 ??= new Uint8Array(this.buffer);
    return this.#u8;
  }

  get i32(): Int32Array<ArrayBuffer> {
    this.#i32 ??= new Int32Array(this.buffer);
    return this.#i32;
  }

  get u64(): BigUint64Array<ArrayBuffer> {
    this.#u64 ??= new BigUint64Array(this.buffer);
    return this.#u64;
  }

  /** Memory that holds a copy of `bytes`. */
  static of(door: Door, bytes: Uint8Array): Memory {
    const memory = new Memory(door, bytes.length);
    memory.u8.set(bytes);
    return memory;
  }

  /** A C string. */
  static string(door: Door, text: string): Memory {
    return Memory.of(door, Buffer.from(`${text}\0`));
  }

  setU32(offset: number, value: number): void {
    this.u32[offset >> 2] = value;
  }

  /** The address of `target`, which lives as long as this memory does from now on. */
  setPointer(offset: number, target: Memory): void {
    this.#targets.push(target);
    this.u32[offset >> 2] = target.address % 2 ** 32;
    this.u32[(offset >> 2) + 1] = target.address / 2 ** 32;
  }

  /**
   * To be called after a system call that was given `address`: a number keeps
   * nothing alive, and the engine may free a buffer after its last use in the code.
   */
  keep(): void {
    if (this.buffer.byteLength === 0) throw new Error('memory was detached');
  }
}
