/** Which processes callers know of: next to what a /proc mounted with the same options shows them. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Hidepid, install, uninstall } from '../../src/calls/install.ts';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { patience } from '../helpers/scale.ts';

const TASKS = '1';
const PROCESSES = '2';
const CHILDREN = '3';
const THREADS = '4';
const { EACCES, ESRCH } = constants.errno;

needs('gcc', 'root', 'kernel', 'proc').describe('hidepid', () => {
  const into = openDirectory();
  const at = join(into, 'fdmap');
  const children: ChildProcess[] = [];
  let actor = '';
  let own: number;
  let foreign: number;

  async function target(...options: string[]): Promise<number> {
    const child = spawn(actor, ['target', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return new Promise((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
  }

  beforeAll(async () => {
    actor = compile('test/c/actor.c', into);
    own = await target('uid=1001,1001,1001', 'gid=1001,1001,1001');
    foreign = await target('uid=1002,1002,1002', 'gid=1002,1002,1002');
  });
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  afterEach(async () => {
    await uninstall({ at });
  });

  /** pidmap() of user 1001, by programs or (without bpf(2)) by streams. */
  function pidmap(way: 'programs' | 'streams', mode: string, pid: number, groups = '-1'): number[] | string {
    const forbidden = way === 'streams' ? ['nobpf'] : [];
    const { stdout, stderr } = spawnSync(
      actor,
      [
        'pidmap',
        'uid=1001,1001,1001',
        'gid=1001,1001,1001',
        `groups=${groups}`,
        ...forbidden,
        '--',
        mode,
        String(pid),
      ],
      { encoding: 'utf8', env: { FDMAP_BPFFS: at } },
    );
    expect(stderr).toBe('');
    return stdout.startsWith('errno') ? stdout.trim() : stdout.trim().split('\n').map(Number);
  }

  /** fdmap() of user 1001 on another's process. */
  function fdmapErrno(): number {
    const { stdout } = spawnSync(
      actor,
      ['caller', 'uid=1001,1001,1001', 'gid=1001,1001,1001', '--', String(foreign)],
      { encoding: 'utf8', env: { FDMAP_BPFFS: at } },
    );
    return Number(stdout.trim().split(' ')[4]);
  }

  /** Which of the two pidinfo() of user 1001 tells of: counts alone, status of all, and named. */
  function pidinfo(): Record<'counts' | 'status' | 'named', number[]> {
    const script = `
      import { pidinfo } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url))};
      const pids = [${own}, ${foreign}];
      const told = (rows) => rows.flatMap(({ pid, error }) => (pids.includes(pid) && !error ? [pid] : []));
      console.log(JSON.stringify({
        counts: told(pidinfo(undefined, { fields: ['fds'] }).toArray()),
        status: told(pidinfo(undefined, { fields: ['command', 'cgroup'] }).toArray()),
        named: told(pidinfo(pids, { fields: ['command', 'fds'] }).toArray()),
      }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      uid: 1001,
      gid: 1001,
      env: { FDMAP_BPFFS: at, FDMAP_BACKEND: 'pinned' },
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }

  it.each([0, 1, 2, 4] as Hidepid[])(
    'pidinfo(): %d tells of others only without a policy',
    { timeout: patience(60_000) },
    async (hidepid) => {
      await install({ at, hidepid, exemptGid: 4_321 });
      const told = (hidepid === 0 ? [own, foreign] : [own]).sort((a, b) => a - b);
      const found = pidinfo();
      for (const which of ['counts', 'status', 'named'] as const)
        expect(
          found[which].sort((a, b) => a - b),
          which,
        ).toEqual(told);
    },
  );

  const both = ['programs', 'streams'] as const;

  it('0: every process and thread is known', { timeout: patience(60_000) }, async () => {
    await install({ at, hidepid: 0 });
    for (const way of both) {
      for (const mode of [PROCESSES, TASKS]) {
        expect(pidmap(way, mode, 0)).toEqual(expect.arrayContaining([own, foreign]));
      }
      expect(pidmap(way, THREADS, foreign)).toEqual([foreign]);
      expect(pidmap(way, CHILDREN, process.pid)).toEqual(expect.arrayContaining([own, foreign]));
    }
    expect(fdmapErrno()).toBe(EACCES);
  });

  it('1: their numbers are known, and nothing more', { timeout: patience(60_000) }, async () => {
    await install({ at, hidepid: 1, exemptGid: 4_321 });
    for (const way of both) {
      expect(pidmap(way, PROCESSES, 0)).toEqual(expect.arrayContaining([own, foreign]));
      expect(pidmap(way, THREADS, foreign)).toBe(`errno ${EACCES}`);
      expect(pidmap(way, THREADS, own)).toEqual([own]);
    }
    expect(fdmapErrno()).toBe(EACCES);
  });

  it.each([2, 4] as Hidepid[])(
    '%d: those of others are not known',
    { timeout: patience(60_000) },
    async (hidepid) => {
      await install({ at, hidepid, exemptGid: 4_321 });
      for (const way of both) {
        for (const mode of [PROCESSES, TASKS]) {
          const pids = pidmap(way, mode, 0);
          expect(pids).toContain(own);
          expect(pids).not.toContain(foreign);
        }
        for (const mode of [THREADS, CHILDREN]) expect(pidmap(way, mode, foreign)).toBe(`errno ${ESRCH}`);
        expect(pidmap(way, THREADS, own)).toEqual([own]);
      }
      expect(fdmapErrno()).toBe(ESRCH);
    },
  );

  it.each([
    [1, true],
    [2, true],
    [4, false],
  ] as [Hidepid, boolean][])(
    '%d: members of the exempt group: %s',
    { timeout: patience(60_000) },
    async (hidepid, exempt) => {
      await install({ at, hidepid, exemptGid: 4_321 });
      for (const way of both) {
        const threads = pidmap(way, THREADS, foreign, '4321');
        expect(threads).toEqual(exempt ? [foreign] : `errno ${ESRCH}`);
        const pids = pidmap(way, TASKS, 0, '4321');
        if (exempt) expect(pids).toContain(foreign);
        else expect(pids).not.toContain(foreign);
      }
    },
  );
});
