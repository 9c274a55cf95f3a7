/**
 * The kernel's own answers, through programs that this process loads itself.
 *
 * Tier A (6.10 and later) answers by syscall programs, which need no descriptor
 * at the time of the call. Tier B (6.1 to 6.9), and callers in a nested pid
 * namespace where the kernel cannot look numbers up in it (before 6.13), are
 * answered by iterators.
 */

import type { Executable } from '../../abi/pidinfo/executable.ts';
import * as objects from '../../loader/objects.gen.ts';
import {
  LoadError,
  type Loaded,
  loadObject,
  type ObjectFile,
  type SharedConfig,
  unload,
} from '../../loader/skeleton.ts';
import { SpareDescriptors } from '../../sys/descriptors.ts';
import type { Door } from '../../sys/door.ts';
import { ENOENT, EOPNOTSUPP, EPERM, ESRCH, isOutOfDescriptors } from '../../sys/errno.ts';
import {
  type Backend,
  type BackendName,
  CALLS,
  type CallName,
  type PidinfoQuestion,
  type PidmapQuestion,
  type Records,
} from '../backend.ts';
import type { DescriptorStream, FdinfoQuestion } from '../fdinfo.ts';
import { addExecutables } from './executables.ts';
import { FdinfoIterator } from './fdinfo.ts';
import { FdmapIterator } from './fdmap-iterator.ts';
import { FdmapProgram } from './fdmap-program.ts';
import { fileKeyId, fileKeyOf, KEY_FILE } from './file-key.ts';
import { PidinfoPrograms } from './pidinfo-programs.ts';
import { PidmapIterator } from './pidmap-iterator.ts';
import { PidmapProgram } from './pidmap-program.ts';
import { FEW, OwnLink } from './stream.ts';

/** How an object's programs are got hold of. */
export interface ObjectSource {
  (object: ObjectFile): Loaded;
  /** See Backend.fileKeyId(). */
  keyId?(): string | undefined;
}

/**
 * Loads objects, each as the running kernel can take it: with the lookup of
 * numbers in a nested pid namespace (6.13) or without it. What the version
 * suggests is tried first; what loads is right. Where the lesser one does not load,
 * the other would not either.
 *
 * @param shared for programs that will be pinned for others
 */
export function loadingSource(door: Door, kernelRelease: string, shared?: SharedConfig): ObjectSource {
  const [major = 0, minor = 0] = kernelRelease.split('.').map(Number.parseFloat);
  const fileKey = fileKeyOf(door, KEY_FILE);
  let vpidLookup = major > 6 || (major === 6 && minor >= 13);
  const source: ObjectSource = (object) => {
    try {
      return loadObject(door, object, { vpidLookup, fileKey, shared });
    } catch (error) {
      const configurable = (object.maps as readonly string[]).includes('rodata');
      if (!configurable || !vpidLookup || !(error instanceof LoadError) || error.step !== 'prog_run')
        throw error;
      const loaded = loadObject(door, object, { vpidLookup: false, fileKey, shared });
      vpidLookup = false;
      return loaded;
    }
  };
  source.keyId = () => fileKeyId(fileKey);
  return source;
}

export class KernelBackend implements Backend {
  readonly name: BackendName;
  readonly #door: Door;
  readonly #source: ObjectSource;
  readonly #loaded: Loaded[] = [];
  #spares: SpareDescriptors | undefined;
  #tier: 'A' | 'B' | undefined;
  #self: FdmapProgram | undefined;
  #fdmap: FdmapProgram | undefined;
  #special: FdmapProgram | undefined;
  #withoutSpecial = false;
  #fdmapIterator: FdmapIterator | undefined;
  #pidmap: PidmapProgram | undefined;
  #pidmapIterator: PidmapIterator | undefined;
  #tasks: OwnLink | undefined;
  #pidinfo: PidinfoPrograms | undefined;
  #fdinfo: FdinfoIterator | undefined;
  /** The caller's pid namespace is not the initial one: known after a first answer. */
  #nested = false;
  #numbersByIterator = false;

  /** @param name `pinned` when the source opens what somebody else has loaded */
  constructor(door: Door, source: ObjectSource, name: BackendName = 'kernel') {
    this.name = name;
    this.#door = door;
    this.#source = source;
  }

  get tier(): 'A' | 'B' {
    this.#tier ??= this.#tryTierA();
    return this.#tier;
  }

  fileKeyId(): string | undefined {
    return this.#source.keyId?.();
  }

  fdmap(pid: number, start: number, target: Int32Array, at: number): number {
    if (pid === 0) return (this.#fdmap ?? this.#selfProgram()).read(0, start, target, at);
    if (!this.#numbersByIterator && this.tier === 'A') {
      const result = this.#fdmap!.read(pid, start, target, at);
      if (result !== -EOPNOTSUPP) return result;
      this.#numbersByIterator = true;
    }
    return this.#iteratorOfDescriptors().read(pid, start, target, at);
  }

  specialDescriptors(start: number, target: Int32Array, at: number): number | undefined {
    this.#special ??= this.#loadSpecial();
    return this.#special?.read(0, start, target, at);
  }

  #loadSpecial(): FdmapProgram | undefined {
    if (this.#withoutSpecial) return undefined;
    try {
      return new FdmapProgram(this.#door, this.#load(objects.FDMAP_SPECIAL));
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      // As for the counts: refused, or not installed.
      this.#withoutSpecial = !isOutOfDescriptors(error);
      return undefined;
    }
  }

  pidmap(question: PidmapQuestion, target: Int32Array, at: number): number {
    if (!this.#nested && this.tier === 'A') {
      this.#pidmap ??= new PidmapProgram(this.#door, this.#load(objects.PIDMAP), () =>
        this.#load(objects.PIDMAP_WIDE),
      );
      const result = this.#pidmap.read(question, target, at);
      this.#nested = this.#pidmap.nested;
      if (result !== -EOPNOTSUPP) return result;
      this.#nested = true;
    }
    return this.#iteratorOfTasks().read(question, target, at);
  }

  /**
   * Those that are named by a program; all by an iterator, whose one walk costs about what the
   * programs' answers do, where these would first need the numbers and a second object.
   */
  pidinfo(question: PidinfoQuestion): Records | number {
    return this.#status().answer(question);
  }

  #status(): PidinfoPrograms {
    this.#pidinfo ??= new PidinfoPrograms({
      door: this.#door,
      isPinned: this.name === 'pinned',
      tier: () => this.tier,
      load: (object) => this.#load(object),
      spares: () => this.#spareDescriptors(),
    });
    return this.#pidinfo;
  }

  fdinfo(question: FdinfoQuestion): DescriptorStream | number {
    return this.#iteratorOfFiles().open(question);
  }

  /** Three system calls to open and two for each 32 KiB, for each of a few that are named, or for all at once. */
  executables(pids: readonly number[] | undefined): ReadonlyMap<number, Executable> | number {
    const found = new Map<number, Executable>();
    for (const pid of pids && pids.length <= FEW ? pids : [0]) {
      if (pid < 0) continue;
      const error = addExecutables(this.#iteratorOfFiles().openPlaces(pid), found);
      if (error < 0 && error !== -ESRCH) return error;
    }
    return found;
  }

  #iteratorOfFiles(): FdinfoIterator {
    this.#fdinfo ??= new FdinfoIterator(
      this.#door,
      (object) => this.#load(object),
      () => this.#spareDescriptors(),
      this.name === 'pinned',
    );
    return this.#fdinfo;
  }

  prepare(calls: ReadonlySet<CallName> = new Set(CALLS)): void {
    const probe = new Int32Array(1);
    // Its own number, so that a namespace without lookup is found out now.
    if (calls.has('fdmap')) this.fdmap(process.pid, 0, probe, 0);
    // In any case: it shows that programs can be loaded, and closefrom() and inherited() need it.
    this.fdmap(0, 0, probe, 0);
    if (calls.has('fdmap')) (this.#fdmap ?? this.#self)?.prepare();
    // pidinfo of every process begins with their numbers.
    if (calls.has('pidmap') || calls.has('pidinfo')) {
      const own = { mode: 'threads', pid: 0, start: 0, kthreads: true } as const;
      this.pidmap(own, probe, 0);
      // In a nested namespace, as is known now, the next one is the iterator's.
      if (this.#nested) this.pidmap(own, probe, 0);
      this.#pidmap?.prepare();
    }
    if (calls.has('pidinfo')) this.#status().prepare();
    if (calls.has('fdinfo')) this.#iteratorOfFiles().prepare();
    this.#spareDescriptors();
  }

  close(): void {
    this.#tasks?.close();
    this.#tasks = undefined;
    this.#spares?.close();
    for (const loaded of this.#loaded.splice(0)) unload(this.#door, loaded);
    this.#self = this.#fdmap = this.#fdmapIterator = this.#pidmap = this.#pidmapIterator = undefined;
    this.#pidinfo = undefined;
    this.#fdinfo = this.#special = undefined;
  }

  #load(object: ObjectFile): Loaded {
    const loaded = this.#source(object);
    this.#loaded.push(loaded);
    return loaded;
  }

  /** Tier A is where the program for any task loads; a kernel that refuses it as unknown is tier B. */
  #tryTierA(): 'A' | 'B' {
    try {
      this.#fdmap = new FdmapProgram(this.#door, this.#load(objects.FDMAP), () =>
        this.#load(objects.FDMAP_WIDE),
      );
      return 'A';
    } catch (error) {
      // Verifiers before 6.10 refuse a call of a kernel function in a syscall program with EINVAL or EACCES.
      const refused = error instanceof LoadError && error.step === 'prog_run' && error.errno !== -EPERM;
      if (refused && !isOutOfDescriptors(error)) return 'B';
      // What did not load where the calls were installed is not pinned.
      if (error instanceof LoadError && error.step === 'obj_get' && error.errno === -ENOENT) return 'B';
      throw error;
    }
  }

  #selfProgram(): FdmapProgram {
    this.#self ??= new FdmapProgram(this.#door, this.#load(objects.FDMAP_SELF), () =>
      this.#load(objects.FDMAP_SELF_WIDE),
    );
    return this.#self;
  }

  #spareDescriptors(): SpareDescriptors {
    this.#spares ??= new SpareDescriptors(this.#door, [...this.#loaded[0]!.programs.values()][0]!);
    return this.#spares;
  }

  #iteratorOfDescriptors(): FdmapIterator {
    this.#fdmapIterator ??= new FdmapIterator(this.#door, this.#load(objects.FDMAP_ITER), () =>
      this.#spareDescriptors(),
    );
    return this.#fdmapIterator;
  }

  #iteratorOfTasks(): PidmapIterator {
    if (!this.#pidmapIterator) {
      const [program] = this.#load(objects.PIDMAP_ITER).programs.values();
      this.#tasks = new OwnLink(this.#door, program!);
      this.#pidmapIterator = new PidmapIterator(this.#door, this.#tasks.open, () => this.#spareDescriptors());
    }
    return this.#pidmapIterator;
  }
}
