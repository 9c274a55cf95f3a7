/** Which of the programs answers a question of pidinfo: each is loaded when it is worth it. */

import { BASIC_GROUPS, groupsOf, type ProcessField } from '../../abi/pidinfo/fields.ts';
import * as objects from '../../loader/objects.gen.ts';
import { LoadError, type Loaded, type ObjectFile } from '../../loader/skeleton.ts';
import type { SpareDescriptors } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { EOPNOTSUPP, isOutOfDescriptors } from '../../sys/errno.ts';
import type { PidinfoQuestion, Records } from '../backend.ts';
import { CountsProgram } from './pidinfo-counts.ts';
import { PidinfoIterator } from './pidinfo-iterator.ts';
import { PidinfoProgram } from './pidinfo-program.ts';
import { FEW } from './stream.ts';

/** What the backend has for all of its calls. */
export interface Host {
  readonly door: Door;
  /** What is pinned is all there; what has to be loaded is loaded as far as it is needed. */
  readonly isPinned: boolean;
  tier(): 'A' | 'B';
  load(object: ObjectFile): Loaded;
  spares(): SpareDescriptors;
}

type Take = (records: Uint8Array) => void;

/**
 * So often a few processes are asked about by the iterator of what most want, which takes 8 ms to load and
 * 0.1 for an answer: a command asks once or twice. Then by a program of 33 ms, which answers in microseconds.
 */
const WORTH_LOADING = 16;

const isBasic = (groups: number) => (groups & ~BASIC_GROUPS) === 0;

export class PidinfoPrograms {
  readonly #host: Host;
  #program: PidinfoProgram | undefined;
  #iterator: PidinfoIterator | undefined;
  /** The same without what few ask for. */
  #basic: PidinfoIterator | undefined;
  #counts: CountsProgram | undefined;
  #withoutCounts = false;
  /** How often counts of descriptors alone were asked for. */
  #askedForCounts = 0;
  /** How often a few processes were asked about by their numbers, while the program for that was not loaded. */
  #askedByName = 0;
  /** The program has refused: the caller's pid namespace is nested, and the kernel has no lookup there. */
  #refused = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Records, or a negative errno. */
  answer({ pids, fields, threads }: PidinfoQuestion): Records | number {
    const pieces: Uint8Array[] = [];
    const take = (piece: Uint8Array) => pieces.push(piece);
    const groups = groupsOf(fields);
    if (!pids && !threads && this.#count(fields, take)) return pieces;
    const error = pids
      ? this.#named(Int32Array.from(pids), groups, threads, take)
      : this.#all(groups, threads, take);
    return error || pieces;
  }

  /** Loads what any later question can need. */
  prepare(): void {
    this.#askedByName = WORTH_LOADING;
    this.answer({ pids: [process.pid], fields: new Set(['pid']), threads: false });
    this.#whole();
  }

  /**
   * Numbers and counts of descriptors alone: a program of their own, unless the question is a
   * first one that would have to load it, or nested, or the kernel too old. False: not answered.
   */
  #count(fields: ReadonlySet<ProcessField>, take: Take): boolean {
    for (const field of fields) if (field !== 'pid' && field !== 'fds') return false;
    if (this.#askedForCounts++ === 0 && !this.#host.isPinned) return false;
    if (this.#withoutCounts || this.#host.tier() !== 'A') return false;
    this.#counts ??= this.#loadCounts();
    const counted: Uint8Array[] = [];
    if (this.#counts?.read((piece) => counted.push(piece)) !== 0) return false;
    // All or none: who answers instead begins anew.
    for (const piece of counted) take(piece);
    return true;
  }

  #loadCounts(): CountsProgram | undefined {
    try {
      return new CountsProgram(this.#host.door, this.#host.load(objects.PIDINFO_COUNTS));
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      // Without a free descriptor it may be had later; refused, or not installed, never.
      this.#withoutCounts = !isOutOfDescriptors(error);
      return undefined;
    }
  }

  #named(pids: Int32Array, groups: number, threads: boolean, take: Take): number {
    const few = isBasic(groups) && pids.length <= FEW;
    if (!this.#host.isPinned && !this.#program && few && this.#askedByName++ < WORTH_LOADING) {
      const error = this.#basicOne().read(pids, groups, threads, take);
      if (error !== -EOPNOTSUPP) return error;
    }
    if (!this.#refused && this.#host.tier() === 'A') {
      this.#program ??= this.#loadProgram();
      const error = this.#program.read(pids, groups, threads, take);
      if (error !== -EOPNOTSUPP) return error;
      this.#refused = true;
    }
    return this.#whole().read(pids, groups, threads, take);
  }

  #all(groups: number, threads: boolean, take: Take): number {
    if (!this.#host.isPinned && !this.#iterator && isBasic(groups)) {
      const error = this.#basicOne().all(groups, threads, take);
      if (error !== -EOPNOTSUPP) return error;
    }
    return this.#whole().all(groups, threads, take);
  }

  #loadProgram(): PidinfoProgram {
    const { door, load } = this.#host;
    return new PidinfoProgram(door, load(objects.PIDINFO), () => load(objects.PIDINFO_WIDE));
  }

  #whole(): PidinfoIterator {
    this.#iterator ??= this.#iteratorOf(objects.PIDINFO_ITER);
    return this.#iterator;
  }

  #basicOne(): PidinfoIterator {
    this.#basic ??= this.#iteratorOf(objects.PIDINFO_BASIC);
    return this.#basic;
  }

  #iteratorOf(object: ObjectFile): PidinfoIterator {
    return new PidinfoIterator(this.#host.door, this.#host.load(object), () => this.#host.spares());
  }
}
