/** `fdmap fds` and `fdmap PID…`. */

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { listedDescriptors, sleeper } from '../helpers/processes.ts';
import { BACKENDS, expectComplaint, fdmap, numbersOf } from './helpers.ts';

/** A number that was a process of ours a moment ago. */
const goneBy = () => spawnSync('true').pid;

const NOBODY = { uid: 65_534, gid: 65_534 };

for (const backend of BACKENDS) {
  needs(...backend.needs).describe(`fdmap fds [${backend.name}]`, () => {
    const run = (...args: string[]) => fdmap([...args, '--backend', backend.name]);

    test('prints the numbers of a process, one a line, with and without the name of the command', async () => {
      const { pid } = await sleeper('5</dev/null 9</dev/null 63</dev/null');
      for (const args of [['fds', `${pid}`]]) {
        const { status, stdout, stderr } = run(...args);
        expect(stderr).toBe('');
        expect(numbersOf(stdout)).toEqual(listedDescriptors(pid));
        expect(stdout).toMatch(/^\d+\n/);
        expect(status).toBe(0);
      }
    });

    test('without PID, and for 0, its own: what it inherits is there', () => {
      for (const args of [['fds'], ['fds', '0']]) {
        expect(numbersOf(run(...args).stdout).slice(0, 3)).toEqual([0, 1, 2]);
      }
    });

    test('--json is one array of records, --jsonl one record a line, -o a table', async () => {
      const { pid } = await sleeper('7</dev/null');
      const rows = listedDescriptors(pid).map((fd) => ({ pid, fd }));
      expect(JSON.parse(run('fds', `${pid}`, '--json').stdout)).toEqual(rows);
      const lines = run('fds', `${pid}`, '--jsonl').stdout.trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
      expect(JSON.parse(run('fds', `${pid}`, '--json', '-o', 'FD').stdout)).toEqual(
        rows.map(({ fd }) => ({ fd })),
      );
      const [heading, first] = run('fds', `${pid}`, '-o', 'fd,pid').stdout.split('\n');
      expect(heading).toMatch(/^FD +PID$/);
      expect(first).toMatch(new RegExp(`^ *0 +${pid}$`));
      expect(run('fds', `${pid}`, '-o', 'fd,pid', '--no-header').stdout).not.toContain('FD');
      expect(numbersOf(run('fds', `${pid}`, '-o', 'fd').stdout.replace(/^ *FD\n/, ''))).toEqual(
        rows.map((r) => r.fd),
      );
    });

    test('several: all that can be read, and the worst of the rest as exit code', async () => {
      const first = await sleeper('4</dev/null');
      const second = await sleeper('8</dev/null');
      const gone = goneBy();
      const all = run('fds', `${first.pid}`, `${gone}`, `${second.pid}`, '--json');
      expect(all.status).toBe(1);
      expect(all.stderr).toBe(`fdmap: ${gone}: no such process (ESRCH)\n`);
      expect(JSON.parse(all.stdout)).toEqual([
        ...listedDescriptors(first.pid).map((fd) => ({ pid: first.pid, fd })),
        { pid: gone, error: { code: 'ESRCH', syscall: 'fdmap' } },
        ...listedDescriptors(second.pid).map((fd) => ({ pid: second.pid, fd })),
      ]);
    });

    test('a process that has gone: 1 and one line', () => {
      const gone = goneBy();
      const outcome = run('fds', `${gone}`);
      expectComplaint(outcome, 1);
      expect(outcome.stderr).toContain(`${gone}: no such process`);
    });

    test('nothing open: no line, 1', async () => {
      const { pid } = await sleeper('<&- >&- 2>&-');
      expect(run('fds', `${pid}`)).toMatchObject({ status: 1, stdout: '', stderr: '' });
      expect(run('fds', `${pid}`, '--json')).toMatchObject({ status: 1, stdout: '[]\n', stderr: '' });
    });
  });
}

describe('fdmap fds as another user', () => {
  needs('root', 'other-uid', 'proc').test('a process of root: 3 and one line', async () => {
    const { pid } = await sleeper();
    const outcome = fdmap(['fds', `${pid}`, '--backend', 'proc'], NOBODY);
    expectComplaint(outcome, 3);
    expect(outcome.stderr).toContain(`${pid}: not permitted`);
  });

  needs('root', 'other-uid', 'kernel').test(
    'a backend that is forced and cannot be had: 3, no other instead',
    () => {
      const outcome = fdmap(['fds', '--backend', 'kernel'], NOBODY);
      expectComplaint(outcome, 3);
      expect(outcome.stderr).toContain('CAP_BPF');
      expectComplaint(fdmap(['fds'], { ...NOBODY, env: { FDMAP_BACKEND: 'kernel' } }), 3);
    },
  );
});
