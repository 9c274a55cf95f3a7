import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { closefrom } from '../../src/calls/closefrom.ts';
import type { Door } from '../../src/sys/door.ts';
import { EINVAL, ENOSYS, EPERM } from '../../src/sys/errno.ts';
import { SYSCALLS } from '../../src/sys/uapi.gen.ts';
import { needs } from '../helpers/needs.ts';
import { World } from '../helpers/world.ts';

const numbers = SYSCALLS[process.arch as 'x64'];
const names = new Map(Object.entries(numbers).map(([name, number]) => [number as number, name]));
const LAST = 0xffff_ffff;
const CLOEXEC = 4;

/** A kernel that holds `open`, all of them regular files, and what it was asked. */
function fakeKernel(open: number[], closeRange: (flags: number) => number) {
  const calls: [string, ...number[]][] = [];
  const door: Door = {
    syscall(number, a = 0, b = 0, c = 0) {
      const name = names.get(number) ?? String(number);
      if (name !== 'close_range' && name !== 'close' && name !== 'fcntl') return -ENOSYS;
      if (name === 'fcntl' && b === 1) return 1;
      calls.push([name, a, b, c]);
      return name === 'close_range' ? closeRange(c) : 0;
    },
    bpf: () => -ENOSYS,
    address: () => 4096,
  };
  const backend = {
    fdmap(_pid: number, start: number, target: Int32Array, at: number) {
      let index = at;
      for (const fd of open) if (fd >= start && index < target.length) target[index++] = fd;
      return index;
    },
  } as Backend;
  const asked = () => backend;
  const never = (): Backend => {
    throw new Error('the numbers are not needed');
  };
  return { calls, door, asked, never };
}

describe('closefrom: system calls', () => {
  test('close-on-exec for all is one call', () => {
    const { calls, door, never } = fakeKernel([], () => 0);
    closefrom(never, 3, { cloexec: true }, door);
    expect(calls).toEqual([['close_range', 3, LAST, CLOEXEC]]);
  });

  test('one call for each gap between the kept numbers, in any order, those below n ignored', () => {
    const { calls, door, never } = fakeKernel([], () => 0);
    closefrom(never, 3, { cloexec: true, keep: [9, 5, 6, 0, 5] }, door);
    expect(calls).toEqual([
      ['close_range', 3, 4, CLOEXEC],
      ['close_range', 7, 8, CLOEXEC],
      ['close_range', 10, LAST, CLOEXEC],
    ]);
  });

  test('force closes in the same way, without asking what is open', () => {
    const { calls, door, never } = fakeKernel([], () => 0);
    closefrom(never, 0, { force: true, keep: [0] }, door);
    expect(calls).toEqual([['close_range', 1, LAST, 0]]);
  });

  test.each([ENOSYS, EPERM, EINVAL])(
    'close_range that fails with errno %i: what is open, one by one',
    (errno) => {
      const { calls, door, asked } = fakeKernel([0, 1, 2, 3, 7, 8, 1_000_000], (flags) =>
        flags ? -errno : -ENOSYS,
      );
      closefrom(asked, 3, { cloexec: true, keep: [7] }, door);
      const set = calls.filter(([name]) => name === 'fcntl');
      expect(set).toEqual([3, 8, 1_000_000].map((fd) => ['fcntl', fd, 2, 1]));
      expect(calls.length).toBeLessThan(6);
    },
  );

  test('closing without close_range', () => {
    const { calls, door, asked } = fakeKernel([0, 3, 4, 5, 9], () => -ENOSYS);
    closefrom(asked, 3, { force: true, keep: [4] }, door);
    expect(calls.filter(([name]) => name === 'close').map(([, fd]) => fd)).toEqual([3, 5, 9]);
  });

  test('closing takes one call for each run of open numbers, and no number that is not open', () => {
    const { calls, door, asked } = fakeKernel([0, 53, 54, 55, 59, 70, 71], () => 0);
    closefrom(asked, 53, { keep: [70] }, door);
    expect(calls).toEqual([
      ['close_range', 53, 55, 0],
      ['close', 59, 0, 0],
      ['close', 71, 0, 0],
    ]);
  });

  test('bad arguments are refused before anything is closed', () => {
    const { calls, door, asked } = fakeKernel([3], () => 0);
    const refused = (n: unknown, options: object) =>
      expect(() => closefrom(asked, n as number, options, door)).toThrow(
        expect.objectContaining({ code: 'EINVAL', syscall: 'closefrom', errno: -EINVAL }),
      );
    refused(-1, {});
    refused(1.5, {});
    refused(2 ** 31, {});
    refused('3', {});
    refused(3, { keep: [4, -1] });
    refused(3, { keep: ['4'] });
    expect(calls).toEqual([]);
  });
});

// asm/unistd_64.h, asm-generic/unistd.h
const MORE =
  process.arch === 'x64'
    ? { eventfd2: 290, epoll_create1: 291, timerfd_create: 283, pipe2: 293 }
    : { eventfd2: 19, epoll_create1: 20, timerfd_create: 85, pipe2: 59 };

describe.each(['kernel', 'proc'] as const)('closefrom in a running program [%s]', (backend) => {
  const on = needs('door', backend);

  on.test('closes what is not the runtime’s, and the runtime goes on', async () => {
    const world = await World.start();
    const result = await world.run(
      async ({ api, childProcess, fs, address, syscall, nr, workers, keep, place }, { backend, more }) => {
        const { open } = await api();
        const handle = open({ backend });
        // Everything of the runtime's that can be had: a Worker, a watcher, a signal handler, a child.
        const worker = new workers.Worker(
          'const { parentPort } = require("node:worker_threads"); parentPort.on("message", (x) => parentPort.postMessage(x + 1))',
          { eval: true },
        );
        await new Promise((resolve) => worker.once('online', resolve));
        keep.watcher = fs.watch('/tmp');
        const net = process.getBuiltinModule('node:net');
        const server = net.createServer();
        await new Promise<void>((resolve) => server.listen(0, () => resolve()));
        const listening = (server as unknown as { _handle: { fd: number } })._handle.fd;
        const CLOEXEC = 0o2000000;
        const pipe = new Int32Array(2);
        syscall(more.pipe2, address(pipe.buffer), CLOEXEC);
        const planted = {
          file: fs.openSync('/etc/passwd', 'r'),
          directory: fs.openSync('/', 'r'),
          timer: syscall(more.timerfd_create, 1, CLOEXEC),
          // Not close-on-exec: those came from a parent.
          eventfd: syscall(more.eventfd2, 0, 0),
          epoll: syscall(more.epoll_create1, 0),
          // One end only.
          pipe: pipe[0]!,
          listening,
        };
        syscall(nr.close, pipe[1]!);
        place(900);
        place(901);
        // The loop must have begun to watch the server: libuv aborts over what is closed before that.
        // It begins when it polls (uv__io_poll()); immediates come behind that, the second behind a
        // poll that is yet to come. A timer that is due, as on a slow machine, runs before it.
        for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
        const below = fs.openSync('/dev/null', 'r');
        handle.closefrom(3, { keep: [below, 901] });
        const isOpen = (fd: number) => syscall(nr.fcntl, fd, 1) >= 0;
        const closed = Object.fromEntries(Object.entries(planted).map(([name, fd]) => [name, !isOpen(fd)]));
        const kept = isOpen(below) && isOpen(901);
        const placed = isOpen(900);
        // It lives: timers, thread pool, the worker, a new child, and (by this answer) the channel.
        await new Promise((resolve) => setTimeout(resolve, 5));
        const text = await fs.promises.readFile('/proc/self/comm', 'latin1');
        const echoed = new Promise((resolve) => worker.once('message', resolve));
        worker.postMessage(41);
        const answer = await echoed;
        await worker.terminate();
        const child = childProcess.spawnSync('echo', ['alive'], { encoding: 'utf8' }).stdout;
        const self = handle.fdmap().length > 0 && handle.fdmap(process.pid).length > 0;
        return { closed, kept, placed, text: text.length > 0, answer, child, self };
      },
      { backend, more: MORE },
    );
    expect(result).toEqual({
      closed: {
        file: true,
        directory: true,
        timer: true,
        eventfd: true,
        epoll: true,
        pipe: true,
        listening: true,
      },
      kept: true,
      placed: false,
      text: true,
      answer: 42,
      child: 'alive\n',
      self: true,
    });
  });

  on.test('inherited() is what a child gets; after closefrom with cloexec only what is kept', async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, childProcess, fs, place }, backend) => {
      const { open } = await api();
      const handle = open({ backend });
      for (const fd of [100, 101, 5000]) place(fd);
      const closedOnExec = fs.openSync('/dev/null', 'r');
      const childOpen = () =>
        childProcess
          .spawnSync('ls', ['-v', '/proc/self/fd'], { encoding: 'utf8' })
          .stdout.trim()
          .split('\n')
          .map(Number)
          // 0, 1 and 2 by stdio, 3 the listing itself
          .filter((fd) => fd > 3);
      const before = { said: [...handle.inherited()].filter((fd) => fd > 3), child: childOpen() };
      handle.closefrom(3, { cloexec: true, keep: [101] });
      const after = { said: [...handle.inherited()].filter((fd) => fd > 3), child: childOpen() };
      const open2 = handle.fdmap(0);
      const stillOpen = [100, 101, 5000, closedOnExec].every((fd) => open2.includes(fd));
      return { before, after, stillOpen };
    }, backend);
    expect(result).toEqual({
      before: { said: [100, 101, 5000], child: [100, 101, 5000] },
      after: { said: [101], child: [101] },
      stillOpen: true,
    });
  });
});

needs('door', 'kernel').test(
  'of many: the runtime goes on, with a Worker that started behind an earlier call; planted ones are closed',
  async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, fs, address, syscall, nr, workers, childProcess }, more) => {
      const { open } = await api();
      const handle = open({ backend: 'kernel' });
      const CLOEXEC = 0o2000000;
      const pipe = new Int32Array(2);
      const round = () => {
        while (fs.openSync('/etc/passwd', 'r') < 3000);
        syscall(more.pipe2, address(pipe.buffer), CLOEXEC);
        syscall(nr.close, pipe[1]!);
        const timer = syscall(more.timerfd_create, 1, CLOEXEC);
        const directory = fs.openSync('/', 'r');
        const eventfd = syscall(more.eventfd2, 0, CLOEXEC);
        const special = new Int32Array(64);
        const length = handle.lent.specialDescriptors?.(3000, special, 0) ?? -1;
        handle.closefrom(3);
        const isOpen = (fd: number) => syscall(nr.fcntl, fd, 1) >= 0;
        const open = [pipe[0]!, timer, directory, eventfd, 2999].map(isOpen);
        // Behind the planted ones are the handle's own.
        const told = [...special.subarray(0, length)].filter((fd) => fd <= eventfd);
        syscall(nr.close, eventfd);
        return { told, planted: [pipe[0]!, timer, eventfd], open };
      };
      const first = round();
      const worker = new workers.Worker(
        'const { parentPort } = require("node:worker_threads"); parentPort.on("message", (x) => parentPort.postMessage(x + 1))',
        { eval: true },
      );
      await new Promise((resolve) => worker.once('online', resolve));
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      const second = round();
      const echoed = new Promise((resolve) => worker.once('message', resolve));
      worker.postMessage(41);
      const answer = await echoed;
      await worker.terminate();
      const child = childProcess.spawnSync('echo', ['alive'], { encoding: 'utf8' }).stdout;
      return { first, second, answer, child };
    }, MORE);
    // Of these only the eventfd may be the runtime's.
    const round = {
      told: result.first.planted,
      planted: result.first.planted,
      open: [false, false, false, true, false],
    };
    expect(result).toEqual({ first: round, second: round, answer: 42, child: 'alive\n' });
  },
);

needs('door', 'kernel', 'mount-ns').test(
  'without /proc: anonymous inodes stay, files go, the runtime goes on',
  async () => {
    const world = await World.start({
      wrap: ['unshare', '-m', 'sh', '-c', 'umount -l /proc && exec "$@"', 'sh'],
    });
    const result = await world.run(async ({ api, fs, syscall, nr }, more) => {
      const { closefrom, inherited } = await api();
      const timer = syscall(more.timerfd_create, 1, 0o2000000);
      const inheritedTimer = syscall(more.timerfd_create, 1, 0);
      const file = fs.openSync('/etc/passwd', 'r');
      const listed = [...inherited()].includes(inheritedTimer);
      closefrom(3);
      const isOpen = (fd: number) => syscall(nr.fcntl, fd, 1) >= 0;
      await new Promise((resolve) => setTimeout(resolve, 5));
      const stat = await fs.promises.stat('/');
      return {
        listed,
        timer: isOpen(timer),
        inheritedTimer: isOpen(inheritedTimer),
        file: isOpen(file),
        lives: stat.isDirectory(),
      };
    }, MORE);
    expect(result).toEqual({ listed: true, timer: true, inheritedTimer: false, file: false, lives: true });
  },
);

needs('door', 'proc').test(
  'force takes the runtime’s too, and the default handle is not used again',
  async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, syscall, nr, fs }) => {
      const { closefrom, fdmap } = await api();
      fdmap();
      closefrom(100, { force: true });
      closefrom(20, { force: true });
      const before = fs.openSync('/dev/null', 'r');
      const numbers = [...fdmap()];
      const isOpen = (fd: number) => syscall(nr.fcntl, fd, 1) >= 0;
      return numbers.includes(before) && numbers.every(isOpen);
    });
    expect(result).toBe(true);
  },
);
