/**
 * Who may read whom: every verdict of the pinned programs next to the kernel's
 * own, ptrace_may_access(PTRACE_MODE_READ_FSCREDS), which readlink(/proc/PID/cwd)
 * asks and nothing else. The directory /proc/PID/fd has a mode besides (0500 of
 * the owner), which refuses callers with CAP_SYS_PTRACE alone.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compile, openDirectory } from '../helpers/compile.ts';
import { lack, needs } from '../helpers/needs.ts';
import { patience, scaled } from '../helpers/scale.ts';

const { EACCES, ENOENT, ESRCH } = constants.errno;
const ALL = '1ffffffffff';

const env = { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' };

/** Kinds of processes that differ in what the rule looks at. */
const FIXED: readonly string[] = [
  '',
  'uid=1001,1001,1001 gid=1001,1001,1001',
  'uid=1002,1002,1002 gid=1002,1002,1002',
  'uid=1001,1001,1001 gid=1002,1002,1002',
  'uid=1001,1001,1001 gid=1001,1001,1001 dumpable=0',
  'uid=1001,1001,1001 gid=1001,1001,1001 caps=1',
  'uid=1001,1001,1001 gid=1001,1001,1001 caps=80000',
  'uid=1001,1001,1001 gid=1001,1001,1001 caps=80006',
  'uid=0,0,0 gid=0,0,0 caps=0',
  'uid=0,0,0 gid=0,0,0 caps=1fffff7ffff',
  'uid=1001,1001,0 gid=1001,1001,1001',
  'uid=0,1001,1001 gid=1001,1001,1001',
  'uid=1001,1001,1001 gid=1001,1001,0',
  'uid=1001,0,0 gid=1001,1001,1001 dumpable=0',
  'fsuid=1001',
  'userns',
  'uid=1001,1001,1001 gid=1001,1001,1001 userns',
  'uid=1002,1002,1002 gid=1002,1002,1002 userns',
  'landlock',
  'uid=1001,1001,1001 gid=1001,1001,1001 landlock',
];
const FOR_TARGETS = [
  'zombie',
  'uid=1001,1001,1001 gid=1001,1001,1001 zombie',
  'thread uid=1001,1001,1001 gid=1001,1001,1001',
];

const id = fc.constantFrom(0, 1001, 1002);
const ids = fc.tuple(id, id, id).map(String);
/** Any mixture of them. */
const mixture = fc
  .record({
    uid: fc.option(ids),
    gid: fc.option(ids),
    caps: fc.option(fc.constantFrom('0', '1', '80000', '80006', '6', ALL), { freq: 1 }),
    fsuid: fc.option(id, { freq: 1 }),
    dumpable: fc.option(fc.constantFrom(0, 1), { freq: 1 }),
    userns: fc.boolean(),
    landlock: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  })
  .map(({ userns, landlock, ...values }) =>
    [
      ...Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])),
      // A user namespace can be made by who has an id in the one before.
      ...(userns && !values.caps ? ['userns'] : []),
      ...(landlock ? ['landlock'] : []),
    ].join(' '),
  );

const seed = Number(process.env.FDMAP_TEST_SEED || Date.now() % 1_000_000);
const random = (count: number, offset: number) => fc.sample(mixture, { numRuns: count, seed: seed + offset });
/** Without the module nobody is in a domain: the same actors, outside of any. */
const withoutDomains = lack('landlock') === undefined ? [] : ['landlock'];
const words = (kind: string) => kind.split(' ').filter((word) => word && !withoutDomains.includes(word));

/** Of the line that actor.c prints for each process. */
const COLUMNS = [
  'pid',
  'cwd',
  'search',
  'fd',
  'verdict',
  'wide',
  'stream',
  'open',
  'io',
  'descriptors',
] as const;
type Answer = Readonly<Record<(typeof COLUMNS)[number], number>>;

interface Target {
  readonly kind: string;
  readonly pid: number;
  end(): void;
}

needs('gcc', 'pinned', 'root', 'proc', 'user-ns').describe(`callers and targets (seed ${seed})`, () => {
  const into = openDirectory();
  const targets: Target[] = [];
  let actor = '';

  async function target(command: string, args: readonly string[], kind: string, as = {}): Promise<Target> {
    const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, ...as });
    const pid = await new Promise<number>((resolve, reject) => {
      let complaint = '';
      child.stderr!.on('data', (text) => {
        complaint += text;
      });
      child.stdout!.once('data', (text) => resolve(Number(text)));
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`actor target ${kind}: exit ${code}: ${complaint}`)));
    });
    return { kind, pid, end: () => child.kill('SIGKILL') };
  }

  beforeAll(async () => {
    actor = compile('test/c/actor.c', into);
    const kinds = [...FIXED, ...FOR_TARGETS, ...random(scaled(12, 2), 1)];
    for (const kind of kinds) targets.push(await target(actor, ['target', ...words(kind)], kind));
    // A program that is root's by its mode, and one that nobody may read.
    for (const [name, mode] of [
      ['setuid', 0o4755],
      ['unreadable', 0o711],
    ] as const) {
      const program = join(into, name);
      copyFileSync(actor, program);
      chownSync(program, 0, 0);
      chmodSync(program, mode);
      targets.push(await target(program, ['wait'], name, { uid: 1001, gid: 1001 }));
    }
    const kthread = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isKernelThread(name));
    if (kthread) targets.push({ kind: 'kernel thread', pid: Number(kthread), end: () => undefined });
  }, patience(120_000));

  afterAll(() => {
    for (const each of targets) each.end();
  });

  function ask(kind: string): Answer[] {
    const pids = targets.map(({ pid }) => String(pid));
    const { stdout, stderr, status } = spawnSync(actor, ['caller', ...words(kind), '--', ...pids], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    expect({ kind, status, stderr }).toEqual({ kind, status: 0, stderr: '' });
    return stdout
      .trim()
      .split('\n')
      .map((line) => {
        const numbers = line.split(' ').map(Number);
        return Object.fromEntries(COLUMNS.map((name, i) => [name, numbers[i]])) as unknown as Answer;
      });
  }

  it('each verdict is the kernel’s, or stricter for a reason', { timeout: patience(300_000) }, () => {
    const callers = [...FIXED, ...random(scaled(16, 2), 2)];
    const open: string[] = [];
    const strict: string[] = [];
    let pairs = 0;
    let allowed = 0;
    let byMode = 0;
    for (const caller of callers) {
      for (const { pid, cwd, search, fd, verdict, ...others } of ask(caller)) {
        const { kind } = targets.find((each) => each.pid === pid)!;
        const pair = `[${caller}] reads [${kind}]: cwd ${cwd}, fd/0 ${fd}, fdmap ${verdict}`;
        expect([0, EACCES, ESRCH], pair).toContain(verdict);
        // All programs decide alike: those of fdmap, of what pidinfo keeps private, of fdinfo.
        expect([others.wide, others.stream], pair).toEqual([verdict, verdict]);
        if (others.io >= 0) expect(others.io, pair).toBe(verdict === 0 ? 1 : 0);
        if (verdict !== 0) expect(others.descriptors, pair).toBe(0);
        // Threads that share a table are told of under the first one's number.
        else if (!kind.startsWith('thread')) expect(others.descriptors > 0, pair).toBe(others.open > 0);
        pairs++;
        if (verdict === 0) allowed++;
        // Allowed, but a process without memory has no working directory any more.
        const byKernel = cwd === 0 || cwd === ENOENT;
        if (verdict === 0 && !byKernel) open.push(pair);
        // The directory's mode refuses some whom the check lets through; nobody else may be refused the link.
        if (verdict === 0 && fd === EACCES && search === 0) open.push(pair);
        if (verdict === 0 && fd === EACCES) byMode++;
        if (verdict !== 0 && byKernel && !isStricterByChoice(caller, kind)) strict.push(pair);
      }
    }
    expect(open).toEqual([]);
    expect(strict).toEqual([]);
    expect(pairs).toBeGreaterThanOrEqual(scaled(500, 100));
    // Neither of the two answers is the one that always comes.
    expect(allowed).toBeGreaterThan(pairs / 20);
    expect(allowed).toBeLessThan((pairs * 19) / 20);
    console.log(
      `   ${pairs} pairs, ${allowed} allowed, ${byMode} of them not past the mode of fd/, seed ${seed}`,
    );
  });

  needs('landlock').test('a caller in a Landlock domain reads himself, and as root nobody else', () => {
    for (const kind of ['landlock', 'uid=1001,1001,1001 gid=1001,1001,1001 landlock']) {
      expect(new Set(ask(kind).map(({ verdict }) => verdict))).toEqual(new Set([EACCES]));
    }
    const own = spawnSync(actor, ['pidmap', 'landlock', '--', '4', '0'], { encoding: 'utf8', env });
    expect(own.stdout).toMatch(/^\d+\n$/);
  });
});

function isKernelThread(pid: string): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return (Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[6]) & 0x0020_0000) !== 0;
  } catch {
    return false; // it has ended meanwhile
  }
}

/** docs/security.md, "Stricter than the kernel". */
function isStricterByChoice(caller: string, target: string): boolean {
  return words(caller).includes('landlock') || target.includes('zombie');
}
