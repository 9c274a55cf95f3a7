/** `fdmap pids`. */

import { beforeAll, expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { listedThreads, shell, sleeper } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';
import { BACKENDS, fdmap, numbersOf } from './helpers.ts';

for (const backend of BACKENDS) {
  needs(...backend.needs).describe(`fdmap pids [${backend.name}]`, () => {
    const run = (...args: string[]) => fdmap(['pids', ...args, '--backend', backend.name]);
    let world: World;
    beforeAll(async () => {
      world = await World.start();
    });

    test('processes, ascending, one a line; threads are none', () => {
      const { status, stdout, stderr } = run();
      const numbers = numbersOf(stdout);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(numbers).toContain(world.pid);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      const threads = listedThreads(world.pid).filter((tid) => tid !== world.pid);
      expect(threads.length).toBeGreaterThan(0);
      expect(numbers.filter((pid) => threads.includes(pid))).toEqual([]);
      expect(numbersOf(run('--no-kthreads').stdout)).toContain(world.pid);
    });

    test('--tasks has every thread', () => {
      expect(numbersOf(run('--tasks').stdout)).toEqual(expect.arrayContaining(listedThreads(world.pid)));
    });

    test('--threads of a process, as tid in JSON', () => {
      const threads = listedThreads(world.pid);
      expect(numbersOf(run('--threads', `${world.pid}`).stdout)).toEqual(threads);
      const rows = JSON.parse(run(`--threads=${world.pid}`, '--json').stdout);
      expect(rows).toEqual(threads.map((tid) => ({ tid })));
    });

    test('--children of a process, as pid in JSON; none is 1', async () => {
      const parent = shell('sleep 1000 & echo $!; sleep 1000 & echo $!; wait');
      await until('two children', () => parent.output().split('\n').length === 3);
      const children = numbersOf(parent.output()).sort((a, b) => a - b);
      expect(numbersOf(run('--children', `${parent.pid}`).stdout)).toEqual(children);
      const lines = run('--children', `${parent.pid}`, '--jsonl').stdout.trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line))).toEqual(children.map((pid) => ({ pid })));
      const { pid } = await sleeper();
      expect(run('--children', `${pid}`)).toMatchObject({ status: 1, stdout: '', stderr: '' });
      for (const child of children) process.kill(child);
    });
  });
}
