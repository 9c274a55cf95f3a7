/** Every way to the kernel that this machine has, and the forced detours of each. */

import { release } from 'node:os';
import { afterAll, beforeAll, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { KernelBackend, loadingSource, type ObjectSource } from '../../src/backends/kernel/backend.ts';
import { openPinned } from '../../src/backends/pinned/backend.ts';
import { StreamBackend } from '../../src/backends/pinned/streams.ts';
import { ProcBackend } from '../../src/backends/proc/backend.ts';
import { Handle, open } from '../../src/calls/open.ts';
import { LoadError } from '../../src/loader/skeleton.ts';
import { EINVAL } from '../../src/sys/errno.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { lack, type Need, needs } from './needs.ts';

export interface LiveBackend {
  readonly name: string;
  readonly needs: readonly Need[];
  /** Reads /proc, and has its limits. */
  readonly proc: boolean;
  open(): Handle;
}

/** Ready as open() makes one: nothing is opened later. */
function handleOf(backend: Backend): Handle {
  backend.prepare();
  return new Handle({ backend, why: 'for a test', outOfDescriptors: false });
}

/** What a kernel before 6.10 says to the programs that it does not know. */
const withoutPrograms =
  (source: ObjectSource): ObjectSource =>
  (object) => {
    if (object.name === 'fdmap' || object.name === 'pidmap')
      throw new LoadError(object.name, 'prog_run', -EINVAL);
    return source(object);
  };

const pins = () => process.env.FDMAP_TEST_BPFFS ?? '';

export const BACKENDS: readonly LiveBackend[] = [
  {
    name: 'pinned',
    needs: ['pinned'],
    proc: false,
    open: () => handleOf(openPinned(nativeDoor!, pins()).backend),
  },
  {
    // Where a seccomp filter forbids bpf(2).
    name: 'pinned by streams',
    needs: ['pinned'],
    proc: false,
    open: () => handleOf(new StreamBackend(nativeDoor!, pins())),
  },
  { name: 'kernel', needs: ['kernel'], proc: false, open: () => open({ backend: 'kernel' }) },
  {
    // Tier B, and callers in a nested pid namespace before 6.13.
    name: 'kernel by iterators',
    needs: ['kernel'],
    proc: false,
    open: () =>
      handleOf(new KernelBackend(nativeDoor!, withoutPrograms(loadingSource(nativeDoor!, release())))),
  },
  {
    // Before 6.13: numbers of the initial pid namespace alone can be looked up.
    name: 'kernel without bpf_task_from_vpid',
    needs: ['kernel'],
    proc: false,
    open: () => handleOf(new KernelBackend(nativeDoor!, loadingSource(nativeDoor!, '6.10.0'))),
  },
  { name: 'proc', needs: ['proc'], proc: true, open: () => open({ backend: 'proc' }) },
  {
    // Architectures without a platform package of koffi.
    name: 'proc by node:fs alone',
    needs: ['proc'],
    proc: true,
    open: () => handleOf(new ProcBackend(undefined)),
  },
];

const wanted = (process.env.FDMAP_TEST_BACKEND ?? '').split(',').filter(Boolean);

/** Those that work here, and that FDMAP_TEST_BACKEND (a list with commas) does not leave out. */
export const liveBackends = (): LiveBackend[] =>
  BACKENDS.filter(
    (backend) =>
      (wanted.length === 0 || wanted.includes(backend.name)) &&
      backend.needs.every((need) => lack(need) === undefined),
  );

/** The same tests once for each backend; each gets a handle that is open while they run. */
export function describeBackends(
  name: string,
  body: (handle: () => Handle, backend: LiveBackend) => void,
  list: readonly LiveBackend[] = BACKENDS,
): void {
  for (const backend of list) {
    const title = `${name} [${backend.name}]`;
    if (wanted.length > 0 && !wanted.includes(backend.name)) {
      test(title, (context) => context.skip('FDMAP_TEST_BACKEND names others'));
      continue;
    }
    needs(...backend.needs).describe(title, () => {
      let handle: Handle | undefined;
      beforeAll(() => {
        handle = backend.open();
      });
      afterAll(() => handle?.close());
      body(() => handle!, backend);
    });
  }
}
