/**
 * What a test needs of its machine. What is missing is skipped with its reason,
 * and is a failure where FDMAP_TEST_REQUIRE (a list with commas) names it.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { openPinned } from '../../src/backends/pinned/backend.ts';
import { open } from '../../src/calls/open.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { SYSCALLS } from '../../src/sys/uapi.gen.ts';

const runs = (command: string, ...args: string[]) => {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) return `${command} is not installed`;
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim() || `exit ${status}`}`;
};

const available = (command: string) => () =>
  spawnSync(command, ['--version']).error ? `${command} is not installed` : undefined;

const readText = (path: string) => (existsSync(path) ? readFileSync(path, 'latin1') : '');

/** Each gives the reason why not, or undefined. */
const PROBES = {
  root: () => (process.getuid?.() === 0 ? undefined : 'not root'),
  user: () => (process.getuid?.() === 0 ? 'root' : undefined),
  door: () => (nativeDoor ? undefined : 'no system-call door'),
  kernel: () => opens('kernel'),
  /** Syscall programs for any task: Linux 6.10. */
  'tier-a': () => opens('kernel') ?? (tierOfKernel() === 'A' ? undefined : 'tier B: a kernel before 6.10'),
  proc: () => opens('proc'),
  pinned: () => {
    const directory = process.env.FDMAP_TEST_BPFFS;
    if (!directory) return process.env.FDMAP_TEST_BPFFS_ERROR || 'nothing is installed: FDMAP_TEST_BPFFS';
    try {
      openPinned(nativeDoor!, directory).backend.close();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  },
  'other-uid': () => {
    const { error, status } = spawnSync('true', { uid: 65_534, gid: 65_534 });
    return error || status !== 0 ? `cannot become another user: ${error?.message}` : undefined;
  },
  /** A pid namespace with a /proc of its own. */
  unshare: () => runs('unshare', '-p', '-f', '--mount-proc', 'true'),
  /** A mount namespace where /proc can be unmounted. */
  'mount-ns': () => runs('unshare', '-m', 'sh', '-c', 'umount -l /proc'),
  'time-ns': () => runs('unshare', '-T', 'true'),
  'cgroup-ns': () => runs('unshare', '-C', 'true'),
  'user-ns': () => runs('unshare', '-U', '-r', 'true'),
  gcc: () => (process.env.FDMAP_TEST_BINARIES ? undefined : available('gcc')()),
  python3: available('python3'),
  /** landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION: refused where the module is not active. */
  landlock: () => {
    const number = SYSCALLS[process.arch as keyof typeof SYSCALLS].landlock_create_ruleset;
    return (nativeDoor?.syscall(number, 0, 0, 1) ?? -1) > 0 ? undefined : 'Landlock is not active';
  },
  /** A kernel where profiles can be loaded, and one to load: FDMAP_TEST_APPARMOR, as apparmor_parser compiles it. */
  apparmor: () => {
    if (!existsSync('/sys/kernel/security/apparmor/.replace')) return 'AppArmor is not active';
    return process.env.FDMAP_TEST_APPARMOR ? undefined : 'no compiled profile: FDMAP_TEST_APPARMOR';
  },
  valgrind: available('valgrind'),
  tmux: () => (spawnSync('tmux', ['-V']).error ? 'tmux is not installed' : undefined),
  man: available('man'),
  mandoc: available('mandoc'),
  script: available('script'),
  strace: available('strace'),
  lsof: () => (spawnSync('lsof', ['-v']).error ? 'lsof is not installed' : undefined),
  lsfd: available('lsfd'),
  ss: () => (spawnSync('ss', ['-V']).error ? 'ss is not installed' : undefined),
  cgroup2: () =>
    / \/ \S+ \S+ .*- cgroup2 /.test(readText('/proc/self/mountinfo'))
      ? undefined
      : 'the hierarchy of version 2 is not mounted',
  fuse: () => (existsSync('/dev/fuse') ? undefined : 'no /dev/fuse'),
  setpriv: available('setpriv'),
  bash: available('bash'),
  prlimit: available('prlimit'),
} as const satisfies Record<string, () => string | undefined>;

export type Need = keyof typeof PROBES;

function opens(backend: 'kernel' | 'proc'): string | undefined {
  try {
    open({ backend }).close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function tierOfKernel(): string {
  const handle = open({ backend: 'kernel' });
  try {
    return handle.tier;
  } finally {
    handle.close();
  }
}

const known = new Map<Need, string | undefined>();

/** The reason why `need` is not met here, or undefined. */
export function lack(need: Need): string | undefined {
  if (!known.has(need)) known.set(need, PROBES[need]());
  return known.get(need);
}

const required = (process.env.FDMAP_TEST_REQUIRE ?? '').split(',').filter(Boolean);
for (const name of required) {
  if (!(name in PROBES)) throw new Error(`FDMAP_TEST_REQUIRE names ${name}, which no test can need`);
}

/** `needs('root', 'gcc').test(…)` and `.describe(…)`, in the place of vitest's own. */
export function needs(...list: Need[]) {
  const missing = list.find((need) => lack(need) !== undefined);
  if (missing === undefined) return { test, describe };
  const reason = `needs ${missing}: ${lack(missing)}`;
  return refusing(reason, required.includes(missing));
}

/** As `needs`, for a condition of one test's own. */
export function when(condition: boolean, reason: string) {
  return condition ? { test, describe } : refusing(reason, false);
}

function refusing(reason: string, isFailure: boolean) {
  // Anonymous signatures: the callbacks are never called.
  const refuse = (name: string, _body?: unknown, _timeout?: unknown) => {
    test(name, (context) => {
      if (isFailure) throw new Error(`FDMAP_TEST_REQUIRE: ${reason}`);
      context.skip(reason);
    });
  };
  // One skip stands for all cases.
  Object.assign(refuse, { each: () => refuse });
  return { test: refuse as unknown as typeof test, describe: refuse as unknown as typeof describe };
}
