/** `fdmap ps`. Only processes that the test starts are looked at. */

import { expect } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { shell, sleeper } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { BACKENDS, fdmap } from './helpers.ts';

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
