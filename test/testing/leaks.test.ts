import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, watch } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { fdmap } from '../../src/index.ts';
import { close } from '../../src/sys/calls.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { growth } from '../../src/testing/snapshot.ts';
import { expectNoNewDescriptors } from '../../src/testing.ts';
import { lack, needs } from '../helpers/needs.ts';

// What this process opens once and keeps: before the descriptors at the file's beginning are counted.
if (lack('proc') === undefined) fdmap();
watch('/etc').close();

const message = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    expect((error as Error).name).toBe('AssertionError');
    return (error as Error).message;
  }
  return 'no leak was seen';
};
const timerfdCreate = process.arch === 'x64' ? 283 : 85;

interface Planted {
  /** Leaves something open, and gives what closes it. */
  plant(): Promise<() => unknown> | (() => unknown);
  named: RegExp;
}

const listening = () =>
  new Promise<Server>((resolve) => {
    const server = createServer().listen(0, () => resolve(server));
  });

const LEAKS: Record<string, Planted> = {
  'fs.openSync': {
    plant() {
      const fd = openSync('/etc/passwd', 'r');
      return () => closeSync(fd);
    },
    named: /^1 new descriptor left open:\n {2}\d+ {2}file {2}\/etc\/passwd$/,
  },
  'a file of its own name each time': {
    plant() {
      const folder = mkdtempSync(join(tmpdir(), 'fdmap-leak-'));
      const fd = openSync(join(folder, 'x'), 'w');
      rmSync(folder, { recursive: true });
      return () => closeSync(fd);
    },
    named: /file {2}\/.*fdmap-leak-.*\/x \(deleted\)$/,
  },
  socket: {
    async plant() {
      const server = await listening();
      return () => new Promise((resolve) => server.close(resolve));
    },
    named: /1 new descriptor left open:\n {2}\d+ {2}socket {2}socket:\[\d+\]$/,
  },
  'timer file descriptor': {
    plant() {
      const fd = nativeDoor!.syscall(timerfdCreate, 1, 0);
      return () => close(nativeDoor!, fd);
    },
    named: /timerfd {2}anon_inode:\[timerfd\]$/,
  },
  worker: {
    async plant() {
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      return () => worker.terminate();
    },
    named: /epoll {4}anon_inode:\[eventpoll\]/,
  },
  'pipes of a child process': {
    async plant() {
      const child: ChildProcess = spawn('sleep', ['1000']);
      await new Promise((resolve) => child.once('spawn', resolve));
      return () => new Promise((resolve) => child.once('close', resolve) && child.kill('SIGKILL'));
    },
    named: /3 new descriptors left open:(\n {2}\d+ {2}socket {2}socket:\[\d+\]){3}/,
  },
};

needs('door', 'proc').describe('expectNoNewDescriptors', () => {
  test.each(Object.entries(LEAKS))('catches and names: %s', async (_, { plant, named }) => {
    const undo: (() => unknown)[] = [];
    try {
      const action = async () => {
        undo.push(await plant());
      };
      expect(await message(expectNoNewDescriptors(action, { settle: 50 }))).toMatch(named);
      expect(undo).toHaveLength(2);
      expect(await message(expectNoNewDescriptors(action, { settle: 50, once: true }))).toMatch(named);
      expect(undo).toHaveLength(3);
    } finally {
      await Promise.all(undo.map((close) => close()));
    }
  });

  test('clean code passes a thousand times in a row', async () => {
    const clean = async (i: number) => {
      closeSync(openSync('/dev/null', 'r'));
      const file = await openFile('/etc/passwd');
      await file.close();
      readFileSync('/proc/self/stat');
      if (i % 50 !== 0) return;
      const server = await listening();
      server.close();
      const child = spawn('true');
      await new Promise((resolve) => child.once('exit', resolve));
      const worker = new Worker('', { eval: true });
      await new Promise((resolve) => worker.once('exit', resolve));
    };
    for (let i = 0; i < 1000; i++)
      await expectNoNewDescriptors(() => clean(i), { settle: 10_000, once: i > 0 });
  });

  test('growth of one time is tolerated, and what is closed late', async () => {
    let cache: number | undefined;
    let runs = 0;
    const result = await expectNoNewDescriptors(
      () => {
        cache ??= openSync('/etc/passwd', 'r');
        return ++runs;
      },
      { settle: 20 },
    );
    expect([result, runs]).toEqual([1, 2]);
    closeSync(cache!);
    await expectNoNewDescriptors(
      () => {
        const fd = openSync('/etc/passwd', 'r');
        setTimeout(() => closeSync(fd), 30);
      },
      { once: true, settle: 10_000 },
    );
  });

  test('what is ignored, and what the action throws', async () => {
    let fd = -1;
    await expectNoNewDescriptors(
      () => {
        fd = openSync('/etc/passwd', 'r');
      },
      { once: true, settle: 0, ignore: ({ path }) => path === '/etc/passwd' },
    );
    closeSync(fd);
    const failure = new Error('of the action');
    await expect(expectNoNewDescriptors(() => Promise.reject(failure))).rejects.toBe(failure);
  });

  test('a suite, by the hooks of either kind of runner', async () => {
    const run = async (names: readonly [string, string], body: () => unknown) => {
      const hooks: (() => Promise<void>)[] = [];
      const hook = (each: () => Promise<void>) => hooks.push(each);
      const [first, last] = names;
      expectNoNewDescriptors.suite({ [first]: hook, [last]: hook } as never, { settle: 50 });
      await hooks[0]!();
      const close = await body();
      const outcome = await message(hooks[1]!());
      if (typeof close === 'function') await close();
      return outcome;
    };
    for (const names of [
      ['beforeAll', 'afterAll'],
      ['before', 'after'],
    ] as const) {
      expect(await run(names, () => undefined)).toBe('no leak was seen');
      expect(await run(names, LEAKS['fs.openSync']!.plant)).toMatch(/\/etc\/passwd/);
      expect(
        await run(names, () => {
          const watcher = watch('/etc');
          return () => watcher.close();
        }),
      ).toBe('no leak was seen');
    }
  });
});

describe('growth', () => {
  const socket = (fd: number, inode: number) => ({ fd, kind: 'socket', path: `socket:[${inode}]` });
  const file = (fd: number, path: string) => ({ fd, kind: 'file', path });

  test('by group: what was replaced is none', () => {
    expect(growth([socket(5, 1)], [socket(5, 2)])).toEqual([]);
    expect(growth([socket(5, 1)], [socket(9, 1)])).toEqual([]);
    expect(growth([file(5, '/a')], [file(5, '/a (deleted)')])).toEqual([]);
    expect(growth([socket(5, 1), file(6, '/a')], [socket(5, 1), socket(6, 2)])).toEqual([socket(6, 2)]);
    expect(growth([file(5, '/a')], [file(5, '/b')])).toEqual([file(5, '/b')]);
  });
});
