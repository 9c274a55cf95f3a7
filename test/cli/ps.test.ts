/** `fdmap ps`. Only processes that the test starts are looked at. */

import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { openDirectory } from '../helpers/compile.ts';
import { needs, when } from '../helpers/needs.ts';
import { commandOf, isKernelThread, shell, sleeper, stateOf } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { BACKENDS, fdmap } from './helpers.ts';

const directory = openDirectory();

for (const backend of BACKENDS) {
  needs(...backend.needs).describe(`fdmap ps [${backend.name}]`, () => {
    const { test } = needs('proc');
    const run = (...args: string[]) => fdmap(['ps', ...args, '--backend', backend.name]);
    const rows = (...args: string[]) => JSON.parse(run('--json', ...args).stdout);

    test('named processes, and a line for each that is gone', async () => {
      const { pid, end } = await sleeper();
      const other = await sleeper();
      expect(rows('-o', 'pid,ppid,command,args', String(pid))).toEqual([
        { pid, ppid: process.pid, command: 'sleep', args: ['sleep', '1000'] },
      ]);
      await end();
      const { status, stderr, stdout } = run('--json', '-o', 'pid', String(pid), String(other.pid));
      expect(JSON.parse(stdout)).toEqual([
        { pid: other.pid },
        { pid, error: { code: 'ESRCH', syscall: 'pidinfo' } },
      ]);
      expect(stderr).toBe(`fdmap: ${pid}: no such process (ESRCH)\n`);
      expect(status).toBe(1);
    });

    test('filters and sorting', async () => {
      const few = await sleeper();
      const many = await sleeper('5</dev/null 6</dev/null');
      const pids = (...args: string[]) =>
        rows(String(few.pid), String(many.pid), '-o', 'pid', ...args).map((row: { pid: number }) => row.pid);
      expect(pids('--sort', 'fds')).toEqual([few.pid, many.pid]);
      expect(pids('--sort=-fds')).toEqual([many.pid, few.pid]);
      expect(pids('--command', 'slee', '--user', String(process.getuid!()))).toEqual([few.pid, many.pid]);
      expect(run(String(few.pid), '--command', 'nobody').status).toBe(1);
      expect(pids('--state', 'SD')).toEqual([few.pid, many.pid]);
      expect(run('--state', 'Q').status).toBe(2);
      expect(run('--tree', '--sort', 'fds').status).toBe(2);
    });

    test('sorted by a column of objects: by what the table shows', async () => {
      const folder = join(directory, backend.name);
      const [first, second] = await Promise.all(
        ['b', 'a'].map(async (name) => {
          // By its own name: it may be one of many in a busybox.
          const program = join(folder, name, 'sleep');
          mkdirSync(dirname(program), { recursive: true });
          copyFileSync('/bin/sleep', program);
          const { pid } = shell(`exec ${program} 1000`);
          await until('it runs', () => commandOf(pid) === 'sleep' && stateOf(pid) === 'S');
          return pid;
        }),
      );
      const sorted = (column: string) =>
        rows(String(first), String(second), '-o', 'pid,exe', `--sort=${column}`).map(
          (row: { pid: number }) => row.pid,
        );
      expect(sorted('exe')).toEqual([second, first]);
      expect(sorted('-exe')).toEqual([first, second]);
      expect(sorted('args')).toEqual([second, first]);
    });

    test('what a filter does not accept is left out', async () => {
      const stopped = await sleeper();
      const other = await sleeper();
      process.kill(stopped.pid, 'SIGSTOP');
      await until('it is stopped', () => stateOf(stopped.pid) === 'T');
      const pids = (...args: string[]) =>
        rows(String(stopped.pid), String(other.pid), '-o', 'pid', ...args).map(
          (row: { pid: number }) => row.pid,
        );
      expect(pids('--state', 'T')).toEqual([stopped.pid]);
      expect(pids('--state', 'SD')).toEqual([other.pid]);
      expect(pids('--state', 'T', '--command', 'wake')).toEqual([]);
      const stranger = String(process.getuid!() + 4711);
      expect(pids('--user', stranger)).toEqual([]);
      expect(run(String(other.pid), '--user', stranger).status).toBe(1);
    });

    needs('root', 'proc').test('those of a user', async () => {
      const own = await sleeper();
      const strange = await sleeper('', { uid: 4711, gid: 4711 });
      const pids = (user: string) =>
        rows(String(own.pid), String(strange.pid), '-o', 'pid', '--user', user).map(
          (row: { pid: number }) => row.pid,
        );
      expect(pids('4711')).toEqual([strange.pid]);
      expect(pids('root')).toEqual([own.pid]);
      // Of all as of some.
      const all = rows('--user', '4711', '-o', 'pid,euid');
      expect(all).toContainEqual({ pid: strange.pid, euid: 4711 });
      expect(new Set(all.map((row: { euid: number }) => row.euid))).toEqual(new Set([4711]));
    });

    when(isKernelThread(2), 'kthreadd is not to be seen').test('without kernel threads', async () => {
      const { pid } = await sleeper();
      const pids = (...args: string[]) =>
        rows('2', String(pid), '-o', 'pid', ...args).map((row: { pid: number }) => row.pid);
      expect(pids()).toEqual([2, pid]);
      expect(pids('--no-kthreads')).toEqual([pid]);
    });

    test('a tree: children below their parent, to the right', async () => {
      const outer = shell('sleep 1000 & echo "$!"; exec sleep 1000');
      const child = Number(await until('the child', () => /^\d+(?=\n)/.exec(outer.output())?.[0]));
      try {
        const { stdout } = run(
          '--tree',
          '-o',
          'pid,command',
          '--no-header',
          String(child),
          String(outer.pid),
        );
        const lines = stdout
          .trim()
          .split('\n')
          .map((line) => line.trim().replace(/ +/, ' '));
        expect(lines[0]).toMatch(new RegExp(`^${outer.pid} \\S`));
        expect(lines[1]).toMatch(new RegExp(`^${child} \`- sleep$|^${child} \`- sh$`));
      } finally {
        process.kill(child, 'SIGKILL');
      }
    });
  });
}
