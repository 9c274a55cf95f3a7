/** fdinfo by the iterators of fdinfo.bpf.c and fdinfo-places.bpf.c: chunks of records, as the kernel wrote them. */

import { Chunk } from '../../abi/fdinfo/record.ts';
import * as abi from '../../abi/layout.gen.ts';
import * as objects from '../../loader/objects.gen.ts';
import { createIterator, createIteratorLink } from '../../sys/bpf.ts';
import { close } from '../../sys/calls.ts';
import type { SpareDescriptors } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { ESRCH } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import type { DescriptorStream, FdinfoQuestion } from '../fdinfo.ts';
import type { ObjectSource } from './backend.ts';
import { FdinfoRequest } from './fdinfo-request.ts';
import { isSearch, SearchStream } from './fdinfo-search.ts';
import { readPiece, STREAM_BYTES } from './stream.ts';

/** Answers of one process end in the first read; those of a machine are read into one piece after the other. */
const LARGE = 32 * STREAM_BYTES;

/** One iterator program with the program that takes its requests. */
interface Source {
  readonly program: number;
  readonly request: FdinfoRequest;
}

type ProgramName = 'fdinfo_files' | 'fdinfo_places' | 'fdinfo_mappings' | 'search_files' | 'search_mappings';

const OBJECTS = {
  fdinfo_files: objects.FDINFO,
  fdinfo_places: objects.FDINFO_PLACES,
  fdinfo_mappings: objects.FDINFO_PLACES,
  search_files: objects.FDINFO_SEARCH,
  search_mappings: objects.FDINFO_SEARCH,
} as const;

const EVERYWHERE = abi.FDINFO_MATCH_FILES | abi.FDINFO_MATCH_PLACES | abi.FDINFO_MATCH_MAPPINGS;

const PLACES = { details: false, paths: true, places: true, mappings: false, stat: false } as const;

export class FdinfoIterator {
  readonly #door: Door;
  readonly #load: ObjectSource;
  readonly #spares: () => SpareDescriptors;
  readonly #first: Memory;
  readonly #sources = new Map<string, Source>();
  readonly #pinned: boolean;
  /** A search that has to be loaded costs more than it saves: until the second. */
  #searches: boolean;

  /** @param pinned getting an object costs next to nothing, and others read streams of its programs */
  constructor(door: Door, load: ObjectSource, spares: () => SpareDescriptors, pinned: boolean) {
    this.#pinned = pinned;
    this.#searches = pinned;
    this.#door = door;
    this.#load = load;
    this.#spares = spares;
    this.#first = new Memory(door, STREAM_BYTES);
  }

  /** Loads what has not been: no call of fdinfo needs a descriptor for a program afterwards. */
  prepare(): void {
    for (const name of Object.keys(OBJECTS) as ProgramName[]) this.#source(name);
  }

  #source(name: ProgramName): Source {
    return this.#sources.get(name) ?? this.#loadSource(name);
  }

  #loadSource(wanted: ProgramName): Source {
    const { programs } = this.#load(OBJECTS[wanted]);
    const [asking] = [...programs].filter(([name]) => name.endsWith('_request'));
    const request = new FdinfoRequest(this.#door, asking![1]);
    for (const [name, program] of programs) this.#sources.set(name, { program, request });
    return this.#sources.get(wanted)!;
  }

  #stream(names: readonly ProgramName[], question: FdinfoQuestion): DescriptorStream {
    const sources = names.map((name) => this.#source(name));
    return new KernelStream(this.#door, sources, question, this.#spares(), this.#first, this.#pinned);
  }

  /** Places alone: of one process, or with 0 of every one. */
  openPlaces(pid: number): DescriptorStream {
    return this.#stream(['fdinfo_places'], { ...PLACES, pid });
  }

  /** Three system calls to open, two for each 32 KiB of records, and two descriptors until it is closed. */
  open(question: FdinfoQuestion): DescriptorStream | number {
    if (question.pid !== undefined && question.pid < 0) return -ESRCH;
    if (question.pid === undefined && isSearch(question) && this.#paysToSearch(question))
      return this.#search(question);
    return this.#whole(question);
  }

  /**
   * Loading the search takes about as long as the stream over 100,000 descriptors of which the
   * program leaves out all but a few: few machines have more, so the one question of a command goes
   * without. Where places or mappings are asked for, what is found may save the load of their object.
   */
  #paysToSearch({ places, mappings }: FdinfoQuestion): boolean {
    const pays = this.#searches || places || mappings || this.#sources.has('search_files');
    this.#searches = true;
    return pays;
  }

  #whole(question: FdinfoQuestion, where = EVERYWHERE): DescriptorStream {
    const names: ProgramName[] = [];
    if (where & abi.FDINFO_MATCH_FILES) names.push('fdinfo_files');
    if (question.places && where & abi.FDINFO_MATCH_PLACES) names.push('fdinfo_places');
    if (question.mappings && where & abi.FDINFO_MATCH_MAPPINGS) names.push('fdinfo_mappings');
    return this.#stream(names, question);
  }

  #search(question: FdinfoQuestion): DescriptorStream {
    const names: ProgramName[] = ['search_files'];
    if (question.mappings) names.push('search_mappings');
    return new SearchStream(this.#stream(names, question), (pid, where) =>
      this.#whole({ ...question, pid }, where),
    );
  }
}

class KernelStream implements DescriptorStream {
  readonly #door: Door;
  readonly #sources: Source[];
  readonly #question: FdinfoQuestion;
  readonly #spares: SpareDescriptors;
  readonly #first: Memory;
  readonly #forgets: boolean;
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
    forgets: boolean,
  ) {
    this.#door = door;
    this.#sources = sources;
    this.#question = question;
    this.#spares = spares;
    this.#first = first;
    this.#forgets = forgets;
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
    if (this.#forgets) this.#sources[0]?.request.forget();
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
    const { request } = this.#sources[0] as Source;
    // Another stream of this thread may have asked for something else meanwhile.
    const ask = () => request.ask(this.#question);
    return readPiece(this.#door, this.#iterator, this.#piece as Memory, this.#used, ask);
  }

  close(): void {
    this.#stop();
    this.#sources.length = 0;
  }
}
