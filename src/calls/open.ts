import type { Writable } from 'node:stream';
import type { Descriptor } from '../abi/fdinfo/decode.ts';
import { type Backend, type BackendName, CALLS, type CallName } from '../backends/backend.ts';
import { BACKEND_CHOICES, type BackendChoice, type Selected, selectBackend } from '../backends/select.ts';
import { FdmapError } from '../errors.ts';
import { loadPart } from '../parts.ts';
import { checkOneOf } from './arguments.ts';
import type { ClosefromOptions } from './closefrom.ts';
import * as closing from './closefrom.ts';
import type { FdinfoStreamEnd, FdinfoStreamOptions } from './fdinfo/fdinfo.ts';
import * as descriptors from './fdinfo/fdinfo.ts';
import type { DescriptorList } from './fdinfo/list.ts';
import type { FdinfoOptions } from './fdinfo/options.ts';
import type { FdmapIntoOptions, FdmapOptions } from './fdmap.ts';
import * as calls from './fdmap.ts';
import * as images from './image/dump.ts';
import type { Image } from './image/image.ts';
import type { PidinfoOptions } from './pidinfo.ts';
import * as status from './pidinfo.ts';
import type { PidmapIntoOptions, PidmapOptions } from './pidmap.ts';
import * as pids from './pidmap.ts';
import type { ProcessList } from './process-list.ts';

export interface OpenOptions {
  /**
   * Default: `FDMAP_BACKEND` of the environment, else `auto`: pinned, kernel, then proc. A backend
   * that is named never falls back to another.
   */
  readonly backend?: BackendChoice | undefined;
  /**
   * Which calls the handle will be asked: what they need is loaded now. The others load it when they
   * are first called, and need a descriptor then. pidinfo takes along what pidmap needs. Default: all.
   */
  readonly calls?: readonly CallName[] | undefined;
}

/**
 * The calls with everything that they need already open: none of them (of those that
 * open() was told) loads a library, a file or a program later. That is what answers in a process that
 * has run out of descriptors.
 */
export class Handle implements Disposable {
  /** Which backend answers. */
  readonly backend: BackendName;
  /** Why this one, and why none before it. */
  readonly why: string;
  #backend: Backend | undefined;

  /** @internal */
  constructor({ backend, why }: Selected) {
    this.#backend = backend;
    this.backend = backend.name;
    this.why = why;
  }

  /** A: everything; B: by iterators; C: by /proc. See docs/kernels.md. */
  get tier(): 'A' | 'B' | 'C' {
    return this.#open.tier;
  }

  /** @internal */
  get lent(): Backend {
    return this.#open;
  }

  get #open(): Backend {
    if (!this.#backend) throw new FdmapError('ERR_FDMAP_CLOSED', 'this handle is closed');
    return this.#backend;
  }

  /** As {@link fdmap}. */
  fdmap(pid = 0, options: FdmapOptions = {}): Int32Array {
    return calls.fdmap(this.#open, pid, options);
  }

  /** As {@link fdmapInto}. */
  fdmapInto(target: Int32Array, pid = 0, options?: FdmapIntoOptions): number {
    return calls.fdmapInto(this.#open, target, pid, options?.start ?? 0);
  }

  /** As {@link pidmap}. */
  pidmap(options: PidmapOptions = {}): Int32Array {
    return pids.pidmap(this.#open, options);
  }

  /** As {@link pidmapInto}. */
  pidmapInto(target: Int32Array, options: PidmapIntoOptions = {}): number {
    return pids.pidmapInto(this.#open, target, options);
  }

  /** As {@link pidinfo}. */
  pidinfo(target?: number | readonly number[], options: PidinfoOptions = {}): ProcessList {
    return status.pidinfo(this.#open, target, options);
  }

  /** As {@link closefrom}. With `force` this handle is closed with the rest. */
  closefrom(n: number, options: ClosefromOptions = {}): void {
    closing.closefrom(() => this.#open, n, options);
    if (options.force && !options.cloexec) this.#backend = undefined;
  }

  /** As {@link inherited}. */
  inherited(): Int32Array {
    return closing.inherited(this.#open);
  }

  /** As {@link fdinfo}. */
  fdinfo(target?: number | readonly number[], options: FdinfoOptions = {}): DescriptorList {
    return descriptors.fdinfo(this.#open, target, options);
  }

  /** As {@link fdinfoStream}. */
  fdinfoStream(options: FdinfoStreamOptions = {}): AsyncGenerator<Descriptor[], FdinfoStreamEnd> {
    return descriptors.fdinfoStream(this.#open, options);
  }

  /** As {@link dump}. */
  dump(
    target?: number | readonly number[],
    options: images.DumpOptions = {},
  ): AsyncGenerator<Uint8Array, undefined> {
    return images.dump(this.#open, target, options);
  }

  /** As {@link dumpTo}. */
  dumpTo(
    output: string | Writable,
    target?: number | readonly number[],
    options: images.DumpOptions = {},
  ): Promise<images.DumpSummary> {
    return images.dumpTo(this.#open, output, target, options);
  }

  /** As {@link capture}. */
  capture(target?: number | readonly number[], options: images.DumpOptions = {}): Image {
    return images.capture(this.#open, target, options);
  }

  /** Gives back every descriptor. Calls after it throw ERR_FDMAP_CLOSED; a second close does nothing. */
  close(): void {
    this.#backend?.close();
    this.#backend = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The backend that the caller or the environment asks for. */
export function choiceOf(options: OpenOptions): BackendChoice {
  const { backend = process.env.FDMAP_BACKEND || 'auto' } = options;
  return checkOneOf(backend, BACKEND_CHOICES, 'backend', 'open');
}

/** See the call of the same name in index.ts. */
export function open(options: OpenOptions = {}): Handle {
  const calls = new Set(options.calls ?? CALLS);
  for (const call of calls) checkOneOf(call, CALLS, 'call', 'open');
  const choice = choiceOf(options);
  if (calls.has('fdinfo')) loadPart('fdinfo');
  if (calls.has('pidinfo')) loadPart('pidinfo');
  return new Handle(selectBackend(choice, calls));
}

let shared: Handle | undefined;

/** See the call of the same name in index.ts: a handle is opened only where the numbers must be known. */
export function closefrom(n: number, options: ClosefromOptions): void {
  closing.closefrom(() => defaultHandle().lent, n, options);
  // Its descriptors have gone with the others, and their numbers belong to whoever opens them next.
  if (options.force && !options.cloexec) shared = undefined;
}

/** The handle of the calls that are not given one; it opens at the first call and stays open. */
export function defaultHandle(): Handle {
  if (shared) return shared;
  const selected = selectBackend(choiceOf({}), 'least');
  const handle = new Handle(selected);
  // Chosen for want of a descriptor: that may pass, and a better one be had next time.
  if (!selected.outOfDescriptors) shared = handle;
  return handle;
}
