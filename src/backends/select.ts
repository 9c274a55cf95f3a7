/** Which backend answers: tried in order, each refusal kept as a reason. */

import { release } from 'node:os';
import { FdmapError, SystemError } from '../errors.ts';
import { LoadError } from '../loader/skeleton.ts';
import { EACCES, EINVAL, EPERM, isOutOfDescriptors } from '../sys/errno.ts';
import { doorError, nativeDoor } from '../sys/ffi.ts';
import type { Backend, BackendName, CallName } from './backend.ts';
import { KernelBackend, loadingSource } from './kernel/backend.ts';
import { openPinned } from './pinned/backend.ts';
import { directoryOfCalls } from './pinned/directory.ts';
import { ProcBackend, probeProc } from './proc/backend.ts';

export type BackendChoice = 'auto' | BackendName;
export const BACKEND_CHOICES: readonly BackendChoice[] = ['auto', 'pinned', 'kernel', 'proc'];

export interface Selected {
  readonly backend: Backend;
  /** In words, which one and why none before it. */
  readonly why: string;
  /** A better one was passed over only because no descriptor was free. */
  readonly outOfDescriptors: boolean;
}

/** How far a backend goes to show that it works. */
export type Readiness =
  /** Load what these calls could need later. */
  | ReadonlySet<CallName>
  /** Load the least that shows that the kernel takes our programs. */
  | 'least';

/**
 * @throws FdmapError ERR_FDMAP_BACKEND_UNAVAILABLE, with every reason, when none of those tried works;
 *   a backend that was asked for by name is tried alone
 */
export function selectBackend(choice: BackendChoice, readiness: Readiness): Selected {
  const reasons: string[] = [];
  const causes: unknown[] = [];
  for (const name of choice === 'auto' ? (['pinned', 'kernel', 'proc'] as const) : [choice]) {
    try {
      const { backend, found } = open(name, readiness);
      const chosen = choice === 'auto' ? `${name}: ${found}` : `${name}: asked for by name, ${found}`;
      const why = [chosen, ...reasons.map((reason) => `not ${reason}`)].join('; ');
      return { backend, why, outOfDescriptors: causes.some(isOutOfDescriptors) };
    } catch (error) {
      reasons.push(`${name}: ${explain(error)}`);
      causes.push(error);
    }
  }
  const options = causes.length === 1 ? { cause: causes[0] } : { cause: new AggregateError(causes) };
  throw new FdmapError(
    'ERR_FDMAP_BACKEND_UNAVAILABLE',
    `no backend available: ${reasons.join('; ')}`,
    options,
  );
}

interface Opened {
  readonly backend: Backend;
  /** In words, what it has to offer. */
  readonly found: string;
}

function open(name: BackendName, readiness: Readiness): Opened {
  if (name === 'proc') {
    const errno = probeProc();
    if (errno < 0) throw new SystemError(errno, 'readlink', { path: '/proc/self' });
    return { backend: new ProcBackend(nativeDoor), found: '/proc is mounted' };
  }
  if (!nativeDoor) throw doorError ?? new Error('no system-call door');
  const opened =
    name === 'pinned'
      ? openPinned(nativeDoor, directoryOfCalls())
      : {
          backend: new KernelBackend(nativeDoor, loadingSource(nativeDoor, release())),
          found: 'this process may load its own programs',
        };
  try {
    if (readiness === 'least') opened.backend.fdmap(0, 0, new Int32Array(1), 0);
    else opened.backend.prepare(readiness);
  } catch (error) {
    opened.backend.close();
    throw error;
  }
  return opened;
}

/** A refusal in words that say what to do. */
export function explain(error: unknown): string {
  if (error instanceof LoadError && error.step === 'obj_get') {
    if (error.errno === -EACCES)
      return 'the calls are installed for one group alone, and this process is not in it';
    return `the calls that are installed lack ${error.object} (${error.cause.code})`;
  }
  if (error instanceof LoadError) {
    if (error.errno === -EPERM) return 'loading programs needs root, or CAP_BPF and CAP_PERFMON (EPERM)';
    if (error.errno === -EINVAL && error.step === 'prog_load') {
      return 'this kernel has no BPF system-call programs (Linux 5.14, CONFIG_BPF_SYSCALL)';
    }
    return error.message;
  }
  if (error instanceof SystemError && error.path?.startsWith('/proc')) {
    return `/proc is not mounted here (${error.code}); mount -t proc proc /proc`;
  }
  return error instanceof Error ? error.message : String(error);
}
