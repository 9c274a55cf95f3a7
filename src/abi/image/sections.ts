/** The frame of an image: a head, and sections with a length and a checksum each (bpf/image.h). */

import { DecodeError } from '../../errors.ts';
import * as abi from '../layout.gen.ts';

const LITTLE_ENDIAN = true;
const MAGIC = Uint8Array.of(0x89, 0x46, 0x44, 0x4d, 0x41, 0x50, 0x0a, 0x1a);
const CHECKED = abi.FDMAP_SECTION_CHECKSUM;

/** Loaded at the first image: importing it costs every start of the package. */
const checksumOf = (head: Uint8Array, payload: Uint8Array): number => {
  const { crc32 } = process.getBuiltinModule('node:zlib');
  return crc32(payload, crc32(head.subarray(0, CHECKED)));
};

export function imageHead(): Uint8Array {
  const head = new Uint8Array(abi.SIZEOF_FDMAP_IMAGE);
  head.set(MAGIC);
  new DataView(head.buffer).setUint32(abi.FDMAP_IMAGE_VERSION, abi.FDMAP_IMAGE_FORMAT, LITTLE_ENDIAN);
  return head;
}

export function sectionHead(type: number, sequence: number, payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(abi.SIZEOF_FDMAP_SECTION);
  const view = new DataView(head.buffer);
  view.setUint32(abi.FDMAP_SECTION_TYPE, type, LITTLE_ENDIAN);
  view.setUint32(abi.FDMAP_SECTION_LENGTH, payload.length, LITTLE_ENDIAN);
  view.setUint32(abi.FDMAP_SECTION_SEQUENCE, sequence, LITTLE_ENDIAN);
  view.setUint32(abi.FDMAP_SECTION_CHECKSUM, checksumOf(head, payload), LITTLE_ENDIAN);
  return head;
}

/** Where an image is read from. */
export interface ByteSource {
  /** Fills `into` as far as there are bytes; returns how many. */
  read(into: Uint8Array): number;
  /** Bytes that are left, where that is known: nothing larger is believed. */
  readonly left: number;
}

export class MemorySource implements ByteSource {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  read(into: Uint8Array): number {
    const piece = this.#bytes.subarray(this.#at, this.#at + into.length);
    into.set(piece);
    this.#at += piece.length;
    return piece.length;
  }
}

export interface Section {
  readonly type: number;
  /** Of the payload, in the file. */
  readonly base: number;
  readonly sequence: number;
  /** In memory of its own. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** The image ends within it: the payload is what there is, and nothing vouches for it. */
  readonly cut?: DecodeError;
}

function exactly(source: ByteSource, length: number, at: number, what: string): Uint8Array<ArrayBuffer> {
  if (length > source.left)
    throw new DecodeError(
      `the image is cut off: ${what} of ${length} bytes where ${source.left} are left`,
      at,
    );
  const bytes = new Uint8Array(length);
  const got = source.read(bytes);
  if (got < length) throw new DecodeError(`the image is cut off: ${what}`, at + got);
  return bytes;
}

/** A payload of `length` bytes at `at`, or what there is of it and the error to that. */
function payloadOf(source: ByteSource, length: number, at: number): Pick<Section, 'payload' | 'cut'> {
  const room = Math.min(length, source.left);
  const bytes = new Uint8Array(room);
  const got = source.read(bytes);
  if (got === length) return { payload: bytes };
  const cut = new DecodeError(`the image is cut off: ${got} bytes of a section of ${length}`, at + got);
  return { payload: bytes.subarray(0, got & ~7), cut };
}

/**
 * The sections in their order, each after its checksum was found right; the last one may be cut off.
 *
 * @throws DecodeError at the first byte that is not what it should be: what came before is good
 */
export function* sectionsOf(source: ByteSource): Generator<Section, undefined> {
  const head = exactly(source, abi.SIZEOF_FDMAP_IMAGE, 0, 'its head');
  if (!MAGIC.every((byte, i) => head[i] === byte)) throw new DecodeError('not an image of fdmap', 0);
  const version = new DataView(head.buffer).getUint32(abi.FDMAP_IMAGE_VERSION, LITTLE_ENDIAN);
  if (version !== abi.FDMAP_IMAGE_FORMAT)
    throw new DecodeError(
      `an image of format ${version}; this is for format ${abi.FDMAP_IMAGE_FORMAT}`,
      abi.FDMAP_IMAGE_VERSION,
    );
  let at = abi.SIZEOF_FDMAP_IMAGE;
  for (let sequence = 0; ; sequence++) {
    const own = exactly(source, abi.SIZEOF_FDMAP_SECTION, at, 'a section');
    const view = new DataView(own.buffer);
    const type = view.getUint32(abi.FDMAP_SECTION_TYPE, LITTLE_ENDIAN);
    const length = view.getUint32(abi.FDMAP_SECTION_LENGTH, LITTLE_ENDIAN);
    if (view.getUint32(abi.FDMAP_SECTION_SEQUENCE, LITTLE_ENDIAN) !== sequence)
      throw new DecodeError(`section ${sequence} is missing`, at);
    if (length % 8 !== 0) throw new DecodeError(`a section of ${length} bytes`, at);
    const base = at + abi.SIZEOF_FDMAP_SECTION;
    const { payload, cut } = payloadOf(source, length, base);
    if (cut) {
      yield { type, base, sequence, payload, cut };
      throw cut;
    }
    if (view.getUint32(abi.FDMAP_SECTION_CHECKSUM, LITTLE_ENDIAN) !== checksumOf(own, payload))
      throw new DecodeError(`the checksum of section ${sequence} is wrong`, at);
    yield { type, base, sequence, payload };
    at = base + length;
    if (type === abi.FDMAP_SECTION_END) {
      if (source.left > 0 && source.read(new Uint8Array(1)) > 0)
        throw new DecodeError('bytes behind the end of the image', at);
      return;
    }
  }
}
