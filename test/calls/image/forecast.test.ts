import { expect } from 'vitest';
import { type ForecastRow, forecast } from '../../../src/index.ts';
import { BACKENDS, describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { openZoo } from '../../helpers/zoo.ts';

/** What CRIU's documentation and criu/files.c say of each animal. */
const EXPECTED: Readonly<Record<string, readonly [verdict: string, ...options: string[]]>> = {
  file: ['dumpable'],
  dup: ['dumpable'],
  locked: ['option', '--file-locks'],
  flocked: ['option', '--file-locks'],
  deleted: ['dumpable'],
  dir: ['dumpable'],
  symlink: ['dumpable'],
  char: ['dumpable'],
  'pipe-read': ['dumpable'],
  fifo: ['dumpable'],
  'tcp-listen': ['dumpable'],
  'tcp-client': ['option', '--tcp-established'],
  udp: ['dumpable'],
  raw: ['dumpable'],
  vsock: ['unsupported'],
  netlink: ['dumpable'],
  packet: ['dumpable'],
  eventfd: ['dumpable'],
  epoll: ['dumpable'],
  timerfd: ['dumpable'],
  signalfd: ['dumpable'],
  inotify: ['dumpable'],
  fanotify: ['dumpable'],
  memfd: ['dumpable'],
  pidfd: ['dumpable'],
  io_uring: ['unsupported'],
  userfaultfd: ['unsupported'],
  perf: ['unsupported'],
  landlock: ['unsupported'],
};
const OF_THE_KERNEL: typeof EXPECTED = {
  'unix-left': ['dumpable'],
  'unix-path': ['dumpable'],
  namespace: ['dumpable'],
  mqueue: ['unsupported'],
};

describeBackends(
  'forecast',
  (handle, { proc }) => {
    needs('python3').test('of the zoo: what the documentation of CRIU says', async () => {
      const zoo = await openZoo();
      try {
        const { rows, verdict, options } = forecast(handle().capture(zoo.pid, { tree: true }));
        const at = new Map<unknown, ForecastRow>(rows.map((each) => [each.row.fd, each]));
        for (const [name, [expected, ...wanted]] of Object.entries(
          proc ? EXPECTED : { ...EXPECTED, ...OF_THE_KERNEL },
        )) {
          const animal = zoo.animals[name];
          if (!animal || animal.missing) continue;
          const found = at.get(animal.fd)!;
          if (found.row.type === 'unknown') continue;
          expect([name, found.verdict, ...found.options]).toEqual([name, expected, ...wanted]);
          expect(found.reason === undefined).toBe(expected === 'dumpable');
        }
        expect(verdict).toBe('unsupported');
        expect(options).toEqual(expect.arrayContaining(['--file-locks', '--tcp-established']));
        const eventfd = at.get(zoo.animals.eventfd!.fd)!;
        expect(eventfd.facts).toContain('count');
        expect(eventfd.missing).toEqual(proc ? ['fileId'] : []);
        // Its standard streams are the test's: one end alone is in the tree.
        const stdin = at.get(0)!;
        if (!proc) expect(stdin.options).toEqual([`--external unix[${stdin.row.inode}]`]);
        if (!proc) expect(at.get(1)!.reason).toContain('out of the tree');
      } finally {
        await zoo.end();
      }
    });
  },
  BACKENDS.filter(({ name }) => name === 'kernel' || name === 'proc' || name === 'pinned'),
);
