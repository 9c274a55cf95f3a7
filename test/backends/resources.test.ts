/** Without descriptors, without /proc, with tables of every size. */

import { beforeAll, describe, expect, test } from 'vitest';
import { describeBackends } from '../helpers/backends.ts';
import { needs } from '../helpers/needs.ts';
import { listedDescriptors, shell, sleeper } from '../helpers/processes.ts';
import { scaled } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';

describe('tables', () => {
  let world: World;
  const last = scaled(19_000, 1500);
  const edges = [63, 64, 65, 127, 128, 255, 256, 257, 511, 512, 1023, 1024, 1025, 1087, 1088, last];
  let truth: number[];
  let dense: World;
  let denseTruth: number[];
  beforeAll(async () => {
    world = await World.start();
    await world.run(({ place }, numbers) => {
      for (const fd of numbers) place(fd);
    }, edges);
    truth = listedDescriptors(world.pid);
    dense = await World.start();
    await dense.run(({ limit, fill }, count) => {
      limit(count);
      fill();
      // The listing by /proc from outside is not disturbed by what comes later.
    }, last);
    denseTruth = listedDescriptors(dense.pid);
  });

  describeBackends('of known descriptors', (handle) => {
    const ask = (start: number, count?: number) => [...handle().fdmap(world.pid, { start, count })];

    test('sparse: what the world has, by /proc and by its own account', () => {
      expect([...handle().fdmap(world.pid)]).toEqual(truth);
      expect(edges.filter((fd) => !truth.includes(fd))).toEqual([]);
    });

    test('start is inclusive at every boundary', () => {
      for (const edge of edges) {
        for (const start of [edge - 1, edge, edge + 1]) {
          expect(ask(start), `from ${start}`).toEqual(truth.filter((fd) => fd >= start));
          expect(ask(start, 2)).toEqual(truth.filter((fd) => fd >= start).slice(0, 2));
        }
      }
      expect(ask(last + 1)).toEqual([]);
      expect(ask(2 ** 31 - 1)).toEqual([]);
    });

    test('pieces of any size make the whole', () => {
      for (const size of [1, 3, 64, 1000]) {
        const piece = new Int32Array(size);
        const found: number[] = [];
        for (let n = 1; n > 0; ) {
          n = handle().fdmapInto(piece, world.pid, { start: (found.at(-1) ?? -1) + 1 });
          found.push(...piece.subarray(0, n));
        }
        expect(found).toEqual(truth);
      }
    });

    test('dense: one behind the other to the limit', () => {
      const numbers = handle().fdmap(dense.pid);
      expect(numbers).toHaveLength(last);
      expect(numbers.every((fd, i) => fd === i)).toBe(true);
      expect(denseTruth).toHaveLength(last);
      const target = new Int32Array(last + 10).fill(-7);
      expect(handle().fdmapInto(target, dense.pid)).toBe(last);
      expect(target[last]).toBe(-7);
    });

    test('none at all', async () => {
      const { pid } = await sleeper('<&- >&- 2>&-');
      expect(handle().fdmap(pid)).toHaveLength(0);
    });

    test('a table that changes all the time: those that stay are always there', async () => {
      const busy = await World.start();
      await busy.run(({ place, workers }) => {
        for (let fd = 3000; fd < 3100; fd++) place(fd);
        const code = `
          const fs = require('node:fs');
          for (;;) for (const fd of [1, 2, 3].map(() => fs.openSync('/dev/null'))) fs.closeSync(fd);`;
        new workers.Worker(code, { eval: true });
      });
      for (let i = 0; i < scaled(500, 20); i++) {
        const numbers = handle().fdmap(busy.pid, { start: 3000 });
        expect(numbers).toHaveLength(100);
      }
      await busy.run(() => process.exit()).catch(() => undefined);
    });
  });
});

describeBackends('a thread with a table of its own', (handle) => {
  needs('door').test('has its own descriptors, the others theirs', async () => {
    const world = await World.start();
    const tid = await world.run(
      ({ workers, nr, place }) =>
        new Promise<number>((resolve, reject) => {
          place(300);
          const code = `
            const { parentPort, workerData: nr } = require('node:worker_threads');
            const koffi = require('@koromix/koffi-linux-' + process.arch);
            const call = koffi.load(null).func('syscall', 'long', Array(4).fill('long'));
            // CLONE_FILES of include/uapi/linux/sched.h
            if (call(nr.unshare, 0x400, 0, 0) !== 0) throw new Error('unshare');
            // F_DUPFD
            if (call(nr.fcntl, 300, 0, 777) !== 777) throw new Error('dup');
            call(nr.close, 300, 0, 0);
            parentPort.postMessage(call(nr.gettid, 0, 0, 0));
            setInterval(() => undefined, 1000);`;
          const worker = new workers.Worker(code, { eval: true, workerData: nr });
          worker.once('message', resolve).once('error', reject);
        }),
    );
    const own = handle().fdmap(tid);
    expect(own).toContain(777);
    expect(own).not.toContain(300);
    const others = handle().fdmap(world.pid);
    expect(others).toContain(300);
    expect(others).not.toContain(777);
    // By way of the process: /proc/TID is every thread's.
    expect([...own]).toEqual(listedDescriptors(tid));
    await world.run(() => process.exit()).catch(() => undefined);
  });
});

describe('a full table', () => {
  const other = () => sleeper('<&- >&- 2>&-');

  needs('kernel').test('the kernel backend answers everything by an open handle', async () => {
    const { pid } = await other();
    const world = await World.start();
    const result = await world.run(async ({ api, limit, fill, fs, outcome }, named) => {
      const handle = (await api()).open({ backend: 'kernel' });
      limit(1200);
      fill();
      return {
        open: outcome(() => fs.openSync('/dev/null', 'r')).code,
        own: [...handle.fdmap()],
        byNumber: handle.fdmap(process.pid).length,
        other: handle.fdmap(named).length,
        processes: handle.pidmap().includes(named),
        tasks: handle.pidmap({ mode: 'tasks' }).includes(process.pid),
        threads: handle.pidmap({ mode: 'threads' }).includes(process.pid),
        children: handle.pidmap({ mode: 'children' }).length,
        gone: outcome(() => handle.fdmap(2 ** 30)).code,
      };
    }, pid);
    expect(result.own).toEqual(Array.from({ length: 1200 }, (_, fd) => fd));
    expect(result).toMatchObject({
      open: 'EMFILE',
      byNumber: 1200,
      other: 0,
      processes: true,
      tasks: true,
      threads: true,
      children: 0,
      gone: 'ESRCH',
    });
  });

  test('without a handle, fdmap(0) falls back on fcntl, and the rest is EMFILE', async () => {
    const { pid } = await other();
    const world = await World.start();
    const result = await world.run(async ({ api, limit, fill, outcome }, named) => {
      const { fdmap, pidmap } = await api();
      limit(300);
      fill();
      // Above the limit, as after prlimit(2): they are open still.
      limit(100);
      return {
        own: [...fdmap()],
        from: [...fdmap(0, { start: 290 })],
        other: outcome(() => fdmap(named)).code,
        pids: outcome(() => pidmap()).code,
      };
    }, pid);
    expect(result.own).toEqual(Array.from({ length: 300 }, (_, fd) => fd));
    expect(result.from).toEqual([290, 291, 292, 293, 294, 295, 296, 297, 298, 299]);
    expect([result.other, result.pids]).toEqual(['EMFILE', 'EMFILE']);
  });

  needs('kernel').test('a handle has what it was told that it will be asked', async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, limit, fill, outcome }) => {
      const handle = (await api()).open({ backend: 'kernel', calls: ['fdmap'] });
      limit(1200);
      fill();
      const full = {
        own: handle.fdmap().length,
        byNumber: handle.fdmap(process.pid).length,
        pids: outcome(() => handle.pidmap()).code,
        status: outcome(() => handle.pidinfo(process.pid)).code,
      };
      limit(1300);
      return { ...full, later: handle.pidinfo(process.pid).toArray()[0]?.pid === process.pid };
    });
    expect(result).toEqual({ own: 1200, byNumber: 1200, pids: 'EMFILE', status: 'EMFILE', later: true });
  });

  needs('kernel').test('an open that fails on its way leaves nothing open', async () => {
    const world = await World.start();
    // With each number of free descriptors; where all is slow, with every sixth.
    const step = Math.max(6 - scaled(5, 0), 1);
    const result = await world.run(async ({ api, limit, fs }, step) => {
      const { open } = await api();
      // The parts of the package are there, so that what fails is the loading of programs.
      open({ backend: 'proc' }).close();
      const listed = () => fs.readdirSync('/proc/self/fd').length;
      const before = listed();
      const codes = new Set<string>();
      let opened = false;
      for (let free = 1; !opened; free += step) {
        limit(before + free);
        try {
          open({ backend: 'kernel' }).close();
          opened = true;
        } catch (error) {
          codes.add((error as { code: string }).code);
        }
        limit(before + 100);
        if (listed() !== before) return { free, before, after: listed() };
      }
      return [...codes];
    }, step);
    expect(result).toEqual(['ERR_FDMAP_BACKEND_UNAVAILABLE']);
  });

  test('what was not called before cannot be loaded, says so, and can be afterwards', async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, limit, fill, fs, outcome }) => {
      const { fdmap, pidinfo } = await api();
      const before = fdmap().length;
      limit(300);
      fill();
      const full = outcome(() => pidinfo(process.pid)).code;
      const own = fdmap().length;
      limit(400);
      const status = pidinfo(process.pid).toArray()[0]?.pid === process.pid;
      return { before: before > 3, full, own, status, file: fs.openSync('/dev/null', 'r') >= 300 };
    });
    expect(result).toEqual({ before: true, full: 'EMFILE', own: 300, status: true, file: true });
  });

  needs('proc').test('above the hard limit too', async () => {
    const world = await World.start();
    const own = await world.run(async ({ api, limit, fill }) => {
      const handle = (await api()).open({ backend: 'proc' });
      limit(300, 300);
      fill();
      limit(50, 50);
      return [...handle.fdmap()];
    });
    expect(own).toEqual(Array.from({ length: 300 }, (_, fd) => fd));
  });
});

needs('mount-ns').describe('without /proc', () => {
  const inNoProc = () =>
    World.start({ wrap: ['unshare', '-m', 'sh', '-c', 'umount -l /proc && exec "$@"', 'sh'] });

  needs('kernel').test('the kernel backend answers', async () => {
    const { pid } = await sleeper('<&- >&- 2>&-');
    const world = await inNoProc();
    const result = await world.run(async ({ api, fs, outcome }, named) => {
      const handle = (await api()).open();
      return {
        proc: outcome(() => fs.readdirSync('/proc/self')).code,
        backend: handle.backend,
        own: handle.fdmap().length > 3,
        other: handle.fdmap(named).length,
        pids: handle.pidmap({ mode: 'tasks' }).includes(named),
      };
    }, pid);
    expect(result).toEqual({ proc: 'ENOENT', backend: 'kernel', own: true, other: 0, pids: true });
  });

  test('proc says what is missing', async () => {
    const world = await inNoProc();
    const error = await world.run(async ({ api, outcome }) => {
      const { open } = await api();
      return outcome(() => open({ backend: 'proc' }));
    });
    expect(error.code).toBe('ERR_FDMAP_BACKEND_UNAVAILABLE');
    expect(error.message).toContain('/proc is not mounted');
  });
});

needs('unshare').describe('in a pid namespace', () => {
  for (const backend of ['kernel', 'proc'] as const) {
    needs(backend).test(`numbers are those of the namespace [${backend}]`, async () => {
      const outside = shell('exec sleep 1000');
      const world = await World.start({ wrap: ['unshare', '-p', '-f', '--kill-child', '--mount-proc'] });
      expect(world.pid).toBe(1);
      const result = await world.run(
        async ({ api, childProcess, fs, outcome, place }, { backend, outer }) => {
          const handle = (await api()).open({ backend });
          const child = childProcess.spawn('sleep', ['1000'], { stdio: 'ignore' });
          place(500);
          try {
            const list = (path: string) =>
              fs
                .readdirSync(path)
                .map(Number)
                .filter((n) => n > 0)
                .sort((a, b) => a - b);
            return {
              child: child.pid,
              processes: [...handle.pidmap()],
              truth: list('/proc'),
              threads: [...handle.pidmap({ mode: 'threads' })],
              threadsTruth: list('/proc/self/task'),
              tasks: [...handle.pidmap({ mode: 'tasks' })],
              children: [...handle.pidmap({ mode: 'children', pid: 1 })],
              own: handle.fdmap(1).includes(500),
              other: [...handle.fdmap(child.pid!)],
              outer: outcome(() => handle.fdmap(outer)).code,
            };
          } finally {
            child.kill('SIGKILL');
          }
        },
        { backend, outer: outside.pid },
      );
      expect(result.processes).toEqual(result.truth);
      expect(result.processes).toEqual([1, result.child]);
      expect(result.threads).toEqual(result.threadsTruth);
      expect(result.tasks).toEqual([...result.threads, result.child]);
      expect(result.children).toEqual([result.child]);
      expect(result).toMatchObject({ own: true, other: [0, 1, 2], outer: 'ESRCH' });
    });
  }
});
