/** What every way to the kernel offers to the calls above it. */

import type { Executable } from '../abi/pidinfo/executable.ts';
import type { ProcessField } from '../abi/pidinfo/fields.ts';
import type { DescriptorStream, FdinfoQuestion } from './fdinfo.ts';

export type BackendName = 'pinned' | 'kernel' | 'proc';

/** The four calls, as a handle is told which of them it will be asked. */
export type CallName = 'fdmap' | 'pidmap' | 'fdinfo' | 'pidinfo';
export const CALLS: readonly CallName[] = ['fdmap', 'pidmap', 'fdinfo', 'pidinfo'];

/** Modes of pidmap(2), by the names that the public call uses. */
export type PidmapMode = 'tasks' | 'processes' | 'children' | 'threads';

export interface PidmapQuestion {
  readonly mode: PidmapMode;
  /** For children and threads; 0 is the caller. */
  readonly pid: number;
  /** The smallest number wanted. */
  readonly start: number;
  /** Kernel threads too? */
  readonly kthreads: boolean;
}

export interface PidinfoQuestion {
  /** In the order of the answer; every process of the caller's pid namespace if absent. */
  readonly pids: readonly number[] | undefined;
  readonly fields: ReadonlySet<ProcessField>;
  /** Threads are asked for: `pids` are theirs, and a record is about one alone. */
  readonly threads: boolean;
}

/** Records of the kind PROCESS, piece by piece: no record is cut. */
export type Records = readonly Uint8Array[];

/**
 * Answers are written into the caller's array from index `at` on, ascending.
 * Results are the index behind the last number, or a negative errno: errors are
 * values down here, and become exceptions in src/calls/.
 */
export interface Backend {
  readonly name: BackendName;
  /** A: everything; B: by iterators; C: by /proc (docs/kernels.md). */
  readonly tier: 'A' | 'B' | 'C';
  /** What the numbers of open files are made with, by an id that does not tell it; undefined where there are none. */
  fileKeyId?(): string | undefined;
  /** Set where the answers are those of an image: nothing may be looked up on this machine. */
  readonly recorded?: { readonly bootTime: number };

  /** Descriptors of a process or thread from `start` on; `pid` 0 is the calling thread. */
  fdmap(pid: number, start: number, target: Int32Array, at: number): number;

  /**
   * Descriptors of the calling thread from `start` on that are anonymous inodes, pipes or character
   * devices: those of files, directories and sockets are left out. Undefined, or no such
   * function: this cannot be told for all at once here.
   */
  specialDescriptors?(start: number, target: Int32Array, at: number): number | undefined;

  pidmap(question: PidmapQuestion, target: Int32Array, at: number): number;

  /**
   * A record for each process. One that was named and is not there has a record with an
   * error in its place; one of all that has gone meanwhile may have, or has none.
   */
  pidinfo(question: PidinfoQuestion): Records | number;

  /** The programs of these processes, or of all; of those that the caller may read. */
  executables(pids: readonly number[] | undefined): ReadonlyMap<number, Executable> | number;

  /** Every descriptor that the question is about. The records are of the kinds that decodeChunk() knows. */
  fdinfo(question: FdinfoQuestion): DescriptorStream | number;

  /** Opens everything that these calls could need later, so that none of them needs a descriptor. */
  prepare(calls?: ReadonlySet<CallName>): void;

  /** Gives back every descriptor. Calls after it are the caller's fault. */
  close(): void;
}
