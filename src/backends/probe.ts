/** Which features work here, found out by loading our own objects and asking them about this process. */

import * as objects from '../loader/objects.gen.ts';
import {
  LoadError,
  type Loaded,
  loadObject,
  type ObjectFile,
  onlyProgram,
  unload,
} from '../loader/skeleton.ts';
import { SpareDescriptors } from '../sys/descriptors.ts';
import type { Door } from '../sys/door.ts';
import { EACCES, EAGAIN, EMFILE, ENFILE, EOPNOTSUPP, EPERM, errnoName } from '../sys/errno.ts';
import { FEATURES, type FeatureName, isAtLeast } from './features.ts';
import { FdmapIterator } from './kernel/fdmap-iterator.ts';
import { FdmapProgram } from './kernel/fdmap-program.ts';
import { PidmapIterator } from './kernel/pidmap-iterator.ts';
import { PidmapProgram } from './kernel/pidmap-program.ts';
import { OwnLink } from './kernel/stream.ts';

export interface Finding {
  /** true: tried, it works; false: tried, this kernel cannot; null: could not be tried. */
  readonly works: boolean | null;
  readonly reason: string;
}

export interface Probed {
  readonly findings: ReadonlyMap<FeatureName, Finding>;
  /** This process is in a pid namespace other than the initial one, as the kernel has it. */
  readonly nestedPidNamespace: boolean | null;
  /** The verifier's and bpf(2)'s verdict on this process's privileges; null when it did not come to that. */
  readonly mayLoad: boolean | null;
}

const WORKS: Finding = { works: true, reason: 'tried' };
/** These say nothing about the kernel, but about this process or this moment. */
const INCONCLUSIVE: readonly number[] = [EPERM, EAGAIN, EMFILE, ENFILE];
const BEFORE_THE_VERIFIER: readonly string[] = ['map_create', 'map_update', 'prog_load'];

/**
 * About 40 system calls and 100 ms: every object is loaded, asked and closed
 * again. At most six descriptors are open at a time, none afterwards.
 */
export function probeFeatures(door: Door, release: string): Probed {
  const findings = new Map<FeatureName, Finding>();
  let nested: boolean | null = null;

  const own = attempt(door, objects.FDMAP_SELF, false, (loaded) =>
    new FdmapProgram(door, loaded, small(loaded)).read(0, 0, one(), 0),
  );
  if (!own.works) {
    for (const { name, since } of FEATURES) findings.set(name, notTried(own, release, since));
    // The loader program is a syscall program itself; what it could not load is the object.
    if (own.step === 'prog_run') {
      findings.set('syscall-programs', WORKS);
      findings.set('kernel-core', own);
    } else if (own.works === false) {
      findings.set('syscall-programs', own);
    }
    return { findings, nestedPidNamespace: null, mayLoad: own.notPermitted ? false : null };
  }
  findings.set('syscall-programs', WORKS);
  findings.set('kernel-core', own);

  const question = { mode: 'threads', pid: 0, start: 0, kthreads: true } as const;
  findings.set(
    'task-iterators',
    attempt(door, objects.PIDMAP_ITER, false, (loaded) =>
      withSpares(door, loaded, (spares) => {
        const link = new OwnLink(door, onlyProgram(loaded));
        try {
          return new PidmapIterator(door, link.open, () => spares).read(question, one(), 0);
        } finally {
          link.close();
        }
      }),
    ),
  );
  findings.set(
    'task-iterator-parameters',
    attempt(door, objects.FDMAP_ITER, false, (loaded) =>
      withSpares(door, loaded, (spares) =>
        new FdmapIterator(door, loaded, () => spares).read(process.pid, 0, one(), 0),
      ),
    ),
  );
  const ask = (loaded: Loaded) =>
    new FdmapProgram(door, loaded, small(loaded)).read(process.pid, 0, one(), 0);
  const program = attempt(door, objects.FDMAP, false, (loaded) => {
    const result = ask(loaded);
    // In a nested namespace it can only say that it cannot look numbers up: see vpid-lookup.
    return result === -EOPNOTSUPP ? 0 : result;
  });
  const lookup = attempt(door, objects.FDMAP, true, ask);
  findings.set('syscall-program-functions', lookup.works ? WORKS : program);
  findings.set('vpid-lookup', lookup);
  findings.set(
    'task-walk',
    attempt(door, objects.PIDMAP, lookup.works === true, (loaded) => {
      const pidmap = new PidmapProgram(door, loaded, small(loaded));
      const result = pidmap.read(question, one(), 0);
      nested = pidmap.nested;
      return result === -EOPNOTSUPP ? 0 : result;
    }),
  );
  return { findings, nestedPidNamespace: nested, mayLoad: true };
}

/** Room for one number: more is not asked for. */
const one = () => new Int32Array(1);
/** In place of the wide form of a program, which an answer of one number never needs. */
const small = (loaded: Loaded) => () => loaded;

interface Attempt extends Finding {
  readonly step?: LoadError['step'];
  readonly notPermitted?: boolean;
}

function attempt(
  door: Door,
  object: ObjectFile,
  vpidLookup: boolean,
  use: (loaded: Loaded) => number,
): Attempt {
  let loaded: Loaded;
  try {
    loaded = loadObject(door, object, { vpidLookup });
  } catch (error) {
    if (error instanceof LoadError) return refused(error);
    throw error;
  }
  try {
    const result = use(loaded);
    if (result >= 0) return WORKS;
    const reason = `loads, but its answer about this process is ${errnoName(result)}`;
    return { works: INCONCLUSIVE.includes(-result) ? null : false, reason };
  } finally {
    unload(door, loaded);
  }
}

function refused(error: LoadError): Attempt {
  const errno = -error.errno;
  // EACCES of the verifier is a verdict on the program; before it, one on the caller.
  const notPermitted = errno === EPERM || (errno === EACCES && BEFORE_THE_VERIFIER.includes(error.step));
  const reason = notPermitted
    ? `loading programs is not permitted (${errnoName(errno)} at ${error.step})`
    : error.message.replaceAll(/\s*\n\s*/g, '; ');
  const works = notPermitted || INCONCLUSIVE.includes(errno) ? null : false;
  return { works, reason, step: error.step, notPermitted };
}

function notTried(own: Attempt, release: string, since: string): Finding {
  const cause = own.works === null ? own.reason : 'needs syscall-programs and kernel-core';
  const version = isAtLeast(release, since) ? 'this kernel is new enough' : `it came with Linux ${since}`;
  return { works: null, reason: `${cause}; ${version}` };
}

/** Spare descriptors as a handle keeps them, for what opens links. */
function withSpares<T>(door: Door, loaded: Loaded, action: (spares: SpareDescriptors) => T): T {
  const spares = new SpareDescriptors(door, [...loaded.programs.values()][0]!);
  try {
    return action(spares);
  } finally {
    spares.close();
  }
}
