/**
 * A question about few of all processes, in two steps: which of them have what is
 * looked for (fdinfo-search.bpf.c, a walk of the tables alone), then the records of
 * those. Of 100,000 descriptors the walk costs a tenth of what their stream does.
 */

import type { Chunk } from '../../abi/fdinfo/record.ts';
import * as abi from '../../abi/layout.gen.ts';
import { ESRCH } from '../../sys/errno.ts';
import type { DescriptorStream, FdinfoQuestion } from '../fdinfo.ts';

/** So many streams of one process each cost about what one of a thousand processes does. */
const MOST_STREAMS = 64;

/** Does the question say what few descriptors have? A type alone does not: nearly every process has a file. */
export const isSearch = ({ fd, inode, port, user, command, dev }: FdinfoQuestion): boolean =>
  [fd, inode, port, user, command, dev].some((value) => value !== undefined);

/** Opens the stream of one process, or of all of them, as far as FDINFO_MATCH_* says. */
type OpenWhole = (pid: number | undefined, where?: number) => DescriptorStream;

export class SearchStream implements DescriptorStream {
  readonly #search: DescriptorStream;
  readonly #open: OpenWhole;
  /** What the search itself has to tell: processes that may not be looked into. */
  #aside: Chunk[] = [];
  #matches: [pid: number, where: number][] | undefined;
  #stream: DescriptorStream | undefined;

  constructor(search: DescriptorStream, open: OpenWhole) {
    this.#search = search;
    this.#open = open;
  }

  next(): Chunk | number {
    if (!this.#matches) {
      const error = this.#find();
      if (error < 0) return error;
    }
    const aside = this.#aside.pop();
    if (aside) return aside;
    for (;;) {
      if (!this.#stream) {
        const match = this.#matches!.pop();
        if (!match) return 0;
        this.#stream = this.#open(...match);
      }
      const chunk = this.#stream.next();
      // It has gone since: nobody has named it.
      if (chunk !== 0 && chunk !== -ESRCH) return chunk;
      this.#stream.close();
      this.#stream = undefined;
    }
  }

  #find(): number {
    const found = new Map<number, number>();
    for (;;) {
      const chunk = this.#search.next();
      if (chunk === 0) break;
      if (typeof chunk === 'number') return chunk;
      this.#aside.push(chunk);
      matchesIn(chunk, found);
    }
    this.#search.close();
    this.#matches = [...found].sort(([a], [b]) => b - a);
    if (this.#matches.length <= MOST_STREAMS) return 0;
    // One stream of everything, which tells of hidden processes itself.
    this.#aside = [];
    this.#matches = [];
    this.#stream = this.#open(undefined);
    return 0;
  }

  close(): void {
    this.#search.close();
    this.#stream?.close();
    this.#matches = [];
    this.#aside = [];
    this.#stream = undefined;
  }
}

/** Adds to what is found of each process. */
function matchesIn(chunk: Chunk, found: Map<number, number>): void {
  for (let at = 0; at < chunk.u8.length; at = chunk.check(at)) {
    if (chunk.kind(at) !== abi.FDINFO_KIND_MATCH) continue;
    const pid = chunk.int(at + abi.FDINFO_MATCH_PID);
    found.set(pid, (found.get(pid) ?? 0) | chunk.word(at + abi.FDINFO_MATCH_WHERE));
  }
}
