/** pidmap(): processes and threads that the tests have made. */

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { describeBackends } from '../helpers/backends.ts';
import { listedThreads, shell, sleeper, zombie } from '../helpers/processes.ts';
import { scaled, until } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';

const ascendingOnce = (numbers: Int32Array) => numbers.every((n, i) => i === 0 || n > numbers[i - 1]!);
const outcome = (call: () => unknown) => {
  try {
    return call();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describeBackends('pidmap', (handle) => {
  let world: World;
  let threads: number[];
  beforeAll(async () => {
    world = await World.start();
    // Workers that fork: the children of threads other than the main one.
    await world.run(async ({ workers, keep }) => {
      const code = `
        const { parentPort } = require('node:worker_threads');
        const child = require('node:child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });
        parentPort.postMessage(child.pid);
        setInterval(() => undefined, 1000);
        process.on('exit', () => child.kill('SIGKILL'));`;
      keep.children = await Promise.all(
        [1, 2, 3].map(
          () =>
            new Promise<number>((resolve, reject) => {
              const worker = new workers.Worker(code, { eval: true });
              worker.once('message', resolve).once('error', reject);
            }),
        ),
      );
      process.on('exit', () => {
        for (const pid of keep.children) process.kill(pid, 'SIGKILL');
      });
    });
    threads = listedThreads(world.pid);
  });
  const forked = () => world.run(({ keep }) => keep.children as number[]);

  test('every mode ascends, each number once', () => {
    for (const mode of ['processes', 'tasks'] as const) {
      const all = handle().pidmap({ mode });
      expect(ascendingOnce(all)).toBe(true);
      expect(all).toContain(process.pid);
      expect(all).toContain(world.pid);
    }
  });

  test('tasks have every thread, processes none but the first', () => {
    const tasks = handle().pidmap({ mode: 'tasks' });
    expect(threads.filter((tid) => !tasks.includes(tid))).toEqual([]);
    const processes = handle().pidmap();
    expect(threads.filter((tid) => processes.includes(tid))).toEqual([world.pid]);
  });

  test('threads, whichever of them is named', () => {
    expect(threads.length).toBeGreaterThan(4);
    for (const pid of threads) expect([...handle().pidmap({ mode: 'threads', pid })]).toEqual(threads);
  });

  test('children, whichever thread forked them, and whichever is named', async () => {
    const wanted = (await forked()).sort((a, b) => a - b);
    for (const pid of threads) expect([...handle().pidmap({ mode: 'children', pid })]).toEqual(wanted);
  });

  test('the caller is 0', async () => {
    const { pid } = await sleeper();
    expect(handle().pidmap({ mode: 'children' })).toContain(pid);
    const own = handle().pidmap({ mode: 'threads' });
    expect([...own]).toEqual(listedThreads(process.pid));
  });

  test('start is inclusive, and goes on behind the last', async () => {
    const wanted = (await forked()).sort((a, b) => a - b);
    const ask = (start: number, count?: number) => [
      ...handle().pidmap({ mode: 'children', pid: world.pid, start, count }),
    ];
    for (const [i, pid] of wanted.entries()) {
      expect(ask(pid)).toEqual(wanted.slice(i));
      expect(ask(pid + 1)).toEqual(wanted.slice(i + 1));
      expect(ask(0, i)).toEqual(wanted.slice(0, i));
    }
    expect(ask(wanted.at(-1)! + 1)).toEqual([]);
    expect(ask(2 ** 31 - 1)).toEqual([]);
  });

  test('a short target has the smallest, and pieces make the whole', () => {
    const piece = new Int32Array(3);
    const found: number[] = [];
    let start = 0;
    for (;;) {
      const count = handle().pidmapInto(piece, { mode: 'threads', pid: world.pid, start });
      if (count === 0) break;
      found.push(...piece.subarray(0, count));
      start = found.at(-1)! + 1;
    }
    expect(found).toEqual(threads);
  });

  test('a zombie is a process and a child; it has no descriptors', async () => {
    const { parent, pid } = await zombie();
    expect(handle().pidmap()).toContain(pid);
    expect([...handle().pidmap({ mode: 'children', pid: parent.pid })]).toEqual([pid]);
    expect([...handle().pidmap({ mode: 'threads', pid })]).toEqual([pid]);
    expect([...handle().pidmap({ mode: 'children', pid })]).toEqual([]);
    expect(handle().fdmap(pid)).toHaveLength(0);
  });

  test('who is not there is ESRCH', async () => {
    const gone = await sleeper();
    await gone.end();
    for (const pid of [gone.pid, -1, -gone.pid, 2 ** 31 - 1, -(2 ** 31)]) {
      for (const mode of ['children', 'threads'] as const) {
        expect(
          outcome(() => handle().pidmap({ mode, pid })),
          `${mode} of ${pid}`,
        ).toBe('ESRCH');
      }
      expect(outcome(() => handle().fdmap(pid))).toBe('ESRCH');
    }
  });

  test('kernel threads only where they are wanted', () => {
    // In a pid namespace of a container 2 may be anything, or nobody.
    let kthreadd = false;
    try {
      kthreadd = readFileSync('/proc/2/comm', 'utf8') === 'kthreadd\n';
    } catch {
      return;
    }
    expect(handle().pidmap().includes(2)).toBe(kthreadd);
    const others = handle().pidmap({ kthreads: false });
    expect(others.includes(2)).toBe(false);
    expect(others).toContain(world.pid);
    if (kthreadd && process.getuid?.() === 0) expect(handle().fdmap(2)).toHaveLength(0);
  });

  test('more than fits the small context, and more than one window', async () => {
    const count = scaled(1200, 20);
    const many = shell(
      `i=0; while [ $i -lt ${count} ]; do sleep 1000 & i=$((i+1)); done; echo ready; trap 'kill $(jobs -p)' TERM; wait`,
    );
    await until('all have started', () => many.output().includes('ready'));
    try {
      const children = handle().pidmap({ mode: 'children', pid: many.pid });
      expect(children).toHaveLength(count);
      expect(ascendingOnce(children)).toBe(true);
      const all = handle().pidmap();
      expect([...children].filter((pid) => !all.includes(pid))).toEqual([]);
      // By a cursor of any width.
      const pieces: number[] = [];
      const piece = new Int32Array(101);
      for (let start = 0, n = 1; n > 0; start = (pieces.at(-1) ?? 0) + 1) {
        n = handle().pidmapInto(piece, { mode: 'children', pid: many.pid, start });
        pieces.push(...piece.subarray(0, n));
      }
      expect(pieces).toEqual([...children]);
    } finally {
      for (const pid of handle().pidmap({ mode: 'children', pid: many.pid })) process.kill(pid, 'SIGKILL');
    }
  });

  test('under churn: whoever lives through the call is in the answer', async () => {
    const stay = await Promise.all(Array.from({ length: 20 }, () => sleeper()));
    const churn = Array.from({ length: 3 }, () => shell('while :; do /bin/true; /bin/true & wait; done'));
    const missing: number[] = [];
    for (let i = 0; i < scaled(300, 10); i++) {
      const processes = handle().pidmap();
      const tasks = handle().pidmap({ mode: 'tasks' });
      if (!ascendingOnce(processes) || !ascendingOnce(tasks)) throw new Error('not ascending, or twice');
      for (const { pid } of stay) if (!processes.includes(pid) || !tasks.includes(pid)) missing.push(pid);
    }
    for (const { end } of churn) await end();
    expect(missing).toEqual([]);
  });
});
