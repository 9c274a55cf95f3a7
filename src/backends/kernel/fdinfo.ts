/** fdinfo by the iterators of fdinfo.bpf.c and fdinfo-places.bpf.c: chunks of records, as the kernel wrote them. */

import { Chunk } from '../../abi/fdinfo/record.ts';
import { DESCRIPTOR_TYPES, type DescriptorType } from '../../abi/fdinfo/types.ts';
import * as abi from '../../abi/layout.gen.ts';
import * as objects from '../../loader/objects.gen.ts';
import { createIterator, createIteratorLink, Runner } from '../../sys/bpf.ts';
import { close, readAt } from '../../sys/calls.ts';
import type { SpareDescriptors } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { EAGAIN, ESRCH } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import type { DescriptorStream, FdinfoQuestion } from '../fdinfo.ts';
import type { ObjectSource } from './backend.ts';
import { runUntilAnswered } from './retry.ts';
import { STREAM_BYTES } from './stream.ts';

/** Answers of one process end in the first read; those of a machine are read into one piece after the other. */
const LARGE = 32 * STREAM_BYTES;
/** A million objects without a record end a read(2) early (bpf_seq_read()); so many in a row are a fault. */
const ATTEMPTS = 10_000;

/** One iterator program with the program that takes its requests. */
interface Source {
  readonly program: number;
  readonly request: Runner;
}

const PLACES = { details: false, paths: true, places: true, mappings: false, stat: false } as const;

export class FdinfoIterator {
  readonly #door: Door;
  readonly #load: ObjectSource;
  readonly #spares: () => SpareDescriptors;
  readonly #first: Memory;
  readonly #sources = new Map<string, Source>();

  constructor(door: Door, load: ObjectSource, spares: () => SpareDescriptors) {
    this.#door = door;
    this.#load = load;
    this.#spares = spares;
    this.#first = new Memory(door, STREAM_BYTES);
    this.#open(objects.FDINFO);
  }

  #open(object: (typeof objects)[keyof typeof objects]): void {
    const { programs } = this.#load(object);
    let request: Runner | undefined;
    for (const [name, fd] of programs) {
      if (!name.endsWith('_request')) continue;
      const context = new Memory(this.#door, abi.SIZEOF_FDINFO_REQUEST);
      context.setU32(abi.FDINFO_REQUEST_ABI, abi.FDMAP_ABI);
      request = new Runner(this.#door, fd, context, abi.SIZEOF_FDINFO_REQUEST);
    }
    for (const [name, program] of programs) {
      if (request && !name.endsWith('_request')) this.#sources.set(name, { program, request });
    }
  }

  /** Places alone: of one process, or with 0 of every one. */
  openPlaces(pid: number): DescriptorStream {
    if (!this.#sources.has('fdinfo_places')) this.#open(objects.FDINFO_PLACES);
    const sources = [this.#sources.get('fdinfo_places') as Source];
    return new KernelStream(this.#door, sources, { ...PLACES, pid }, this.#spares(), this.#first);
  }

  /** Three system calls to open, two for each 32 KiB of records, and two descriptors until it is closed. */
  open(question: FdinfoQuestion): DescriptorStream | number {
    if (question.pid !== undefined && question.pid < 0) return -ESRCH;
    const names = ['fdinfo_files'];
    if (question.places) names.push('fdinfo_places');
    if (question.mappings) names.push('fdinfo_mappings');
    if (names.length > 1 && !this.#sources.has('fdinfo_places')) this.#open(objects.FDINFO_PLACES);
    const sources = names.map((name) => this.#sources.get(name) as Source);
    return new KernelStream(this.#door, sources, question, this.#spares(), this.#first);
  }
}

class KernelStream implements DescriptorStream {
  readonly #door: Door;
  readonly #sources: Source[];
  readonly #question: FdinfoQuestion;
  readonly #spares: SpareDescriptors;
  readonly #first: Memory;
  #link = -1;
  #iterator = -1;
  #piece: Memory | undefined;
  #used = 0;

  constructor(
    door: Door,
    sources: Source[],
    question: FdinfoQuestion,
    spares: SpareDescriptors,
    first: Memory,
  ) {
    this.#door = door;
    this.#sources = sources;
    this.#question = question;
    this.#spares = spares;
    this.#first = first;
  }

  next(): Chunk | number {
    for (;;) {
      if (this.#iterator < 0) {
        const source = this.#sources[0];
        if (!source) return 0;
        const error = this.#start(source.program);
        if (error < 0) return error;
      }
      const chunk = this.#read();
      if (chunk !== 0) return chunk;
      this.#stop();
      this.#sources.shift();
    }
  }

  #start(program: number): number {
    return this.#spares.lend(() => {
      this.#link = createIteratorLink(this.#door, program, 0, this.#question.pid ?? 0);
      if (this.#link < 0) return this.#link;
      this.#iterator = createIterator(this.#door, this.#link);
      if (this.#iterator < 0) close(this.#door, this.#link);
      return this.#iterator;
    });
  }

  #stop(): void {
    if (this.#iterator < 0) return;
    close(this.#door, this.#iterator);
    close(this.#door, this.#link);
    this.#iterator = this.#link = -1;
    // What was lent may be had again now.
    this.#spares.lend(() => undefined);
  }

  /** As many reads as one piece of memory takes; 0 at the end. */
  #read(): Chunk | number {
    this.#piece ??= this.#first;
    const { buffer } = this.#piece;
    this.#used = 0;
    while (buffer.byteLength - this.#used >= STREAM_BYTES) {
      const length = this.#readOnce();
      if (length < 0) return length;
      if (length === 0) break;
      this.#used += length;
    }
    const used = this.#used;
    if (used === 0) return 0;
    if (this.#piece === this.#first) {
      // It is read into again: the rows keep a copy.
      if (used > STREAM_BYTES / 2) this.#piece = new Memory(this.#door, LARGE);
      return Chunk.copyOf(this.#first.u8.subarray(0, used));
    }
    this.#piece = new Memory(this.#door, LARGE);
    return new Chunk(buffer, used);
  }

  #readOnce(): number {
    const source = this.#sources[0] as Source;
    const piece = this.#piece as Memory;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Another stream of this thread may have asked for something else meanwhile.
      const asked = this.#ask(source.request);
      if (asked < 0) return asked;
      const length = readAt(this.#door, this.#iterator, piece, this.#used, STREAM_BYTES);
      if (length !== -EAGAIN) return length;
    }
    return -EAGAIN;
  }

  #ask(request: Runner): number {
    const { context } = request;
    const question = this.#question;
    let filters = 0;
    const set = (filter: number, offset: number, value: number | undefined) => {
      if (value === undefined) return;
      filters |= filter;
      context.setU32(offset, value);
    };
    set(abi.FDINFO_BY_FD, abi.FDINFO_REQUEST_FD, question.fd);
    set(abi.FDINFO_BY_PORT, abi.FDINFO_REQUEST_PORT, question.port);
    if (question.inode !== undefined) {
      filters |= abi.FDINFO_BY_INODE;
      context.setU32(abi.FDINFO_REQUEST_INODE, question.inode % 2 ** 32);
      context.setU32(abi.FDINFO_REQUEST_INODE + 4, question.inode / 2 ** 32);
    }
    if (question.types) {
      filters |= abi.FDINFO_BY_TYPE;
      const [low, high] = maskOf(question.types);
      context.setU32(abi.FDINFO_REQUEST_TYPES, low);
      context.setU32(abi.FDINFO_REQUEST_TYPES + 4, high);
    }
    context.setU32(abi.FDINFO_REQUEST_FILTERS, filters);
    const paths = question.paths ? abi.FDINFO_WANT_PATH : 0;
    const details = question.details ? abi.FDINFO_WANT_CLASS | abi.FDINFO_WANT_LOCKS : 0;
    context.setU32(abi.FDINFO_REQUEST_WANT, paths | details);
    return runUntilAnswered(request, abi.FDINFO_REQUEST_ERROR >> 2);
  }

  close(): void {
    this.#stop();
    this.#sources.length = 0;
  }
}

function maskOf(types: ReadonlySet<DescriptorType>): [number, number] {
  let low = 0;
  let high = 0;
  for (const type of types) {
    const bit = DESCRIPTOR_TYPES.indexOf(type);
    if (bit < 32) low |= 1 << bit;
    else high |= 1 << (bit - 32);
  }
  return [low >>> 0, high >>> 0];
}
