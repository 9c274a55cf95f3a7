/**
 * `fdmap/testing`: a test that fails when descriptors are left open, and says which.
 *
 * @packageDocumentation
 */

import { AssertionError } from 'node:assert';
import { type Descriptor, growth, snapshot } from './testing/snapshot.ts';

export type { Descriptor } from './testing/snapshot.ts';

export interface LeakOptions {
  /** How long descriptors may take to be closed, in ms: handles of Node are, some time later. Default 1000. */
  readonly settle?: number | undefined;
  /** Descriptors that may stay. */
  readonly ignore?: ((descriptor: Descriptor) => boolean) | undefined;
}

export interface RunOptions extends LeakOptions {
  /** Run once, and fail at any growth: for what cannot be run again. Default false. */
  readonly once?: boolean | undefined;
}

/** The hooks of a runner, by the names that vitest and jest, and node:test, have for them. */
export type SuiteHooks =
  | { readonly beforeAll: Hook; readonly afterAll: Hook }
  | { readonly before: Hook; readonly after: Hook };
type Hook = (body: () => Promise<void>) => unknown;

/** What the runtime opens once, at first use, and never closes: fs.watch(), its own rings, a first stream. */
const ONCE = new Set(['inotify', 'io_uring', 'file /dev/null']);
const POLL_MS = 5;

/**
 * Runs `action` and fails when it leaves descriptors open that were not there before.
 *
 * One-time growth is no leak (a connection pool, a cache, the first Worker of a library):
 * where there is growth, `action` is run a second time, and only what grows again counts.
 * Other tests must not run in this process meanwhile.
 *
 * @returns what the first run of `action` returned
 * @throws AssertionError which names each new descriptor with its kind and path; what `action` throws
 */
export async function expectNoNewDescriptors<T>(
  action: () => T | Promise<T>,
  options: RunOptions = {},
): Promise<T> {
  const before = ready();
  const result = await action();
  let found = await settled(before, options);
  if (found.length > 0 && !options.once) {
    const middle = snapshot();
    await action();
    found = await settled(middle, options);
  }
  if (found.length > 0) throw leak(found);
  return result;
}

/**
 * The same for all tests of a suite or a file: `expectNoNewDescriptors.suite({ beforeAll, afterAll })`
 * in its beginning. What the runtime itself opens once is no leak; for other one-time growth
 * there is `ignore`.
 */
expectNoNewDescriptors.suite = (hooks: SuiteHooks, options: LeakOptions = {}): void => {
  const [first, last] = 'before' in hooks ? [hooks.before, hooks.after] : [hooks.beforeAll, hooks.afterAll];
  let before: Descriptor[] | undefined;
  first(async () => {
    before = ready();
  });
  last(async () => {
    if (!before) throw new Error('expectNoNewDescriptors.suite: the suite has not begun');
    const allowed = new Set(ONCE);
    // Once each: a second one is a leak.
    const found = (await settled(before, options)).filter(
      ({ kind, path }) => !allowed.delete(kind === 'file' ? `file ${path}` : kind),
    );
    if (found.length > 0) throw leak(found);
  });
};

/** After the first call nothing more is opened for the asking itself. */
function ready(): Descriptor[] {
  snapshot();
  return snapshot();
}

/** What is new, when nothing is or the time is up. */
async function settled(before: readonly Descriptor[], options: LeakOptions): Promise<Descriptor[]> {
  const { settle = 1000, ignore = () => false } = options;
  const deadline = performance.now() + settle;
  for (;;) {
    const found = growth(before, snapshot()).filter((descriptor) => !ignore(descriptor));
    if (found.length === 0 || performance.now() >= deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function leak(found: readonly Descriptor[]): AssertionError {
  const width = Math.max(...found.map(({ kind }) => kind.length));
  const lines = found.map(({ fd, kind, path }) => `  ${fd}  ${kind.padEnd(width)}  ${path}`);
  const count = found.length === 1 ? '1 new descriptor' : `${found.length} new descriptors`;
  return new AssertionError({
    message: `${count} left open:\n${lines.join('\n')}`,
    actual: found,
    expected: [],
    operator: 'expectNoNewDescriptors',
  });
}
