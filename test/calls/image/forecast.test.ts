import { expect, test } from 'vitest';
import { type ForecastRow, forecast, type Image } from '../../../src/index.ts';
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

/** A tree of one process, 7, in session 7 with a terminal, and in the network namespace 40. */
const verdictOf = (row: Record<string, unknown>, process: Record<string, unknown> = {}) => {
  const one = { pid: 7, ppid: 1, sid: 7, tty: 0, namespaces: { net: 40 }, ...process };
  const image = {
    fdinfo: () => ({ toArray: () => [{ pid: 7, fd: 3, ...row }], errors: [] }),
    pidinfo: () => ({ snapshot: () => ({ byPid: new Map([[7, one]]), processes: [one] }) }),
  };
  const { rows, verdict } = forecast(image as unknown as Image);
  expect(verdict).toBe(rows[0]!.verdict);
  return [rows[0]!.verdict, ...rows[0]!.options];
};
const deleted = { type: 'file', deleted: true, nlink: 0, size: 1 };
const device = (rdev?: string) => ({ type: 'char', rdev });
const unix = { type: 'unix', state: 'CONNECTED', peer: 99, inode: 12, socketType: 'stream' };

// Of criu(8) and of dump_one_file() and its callees in criu/files.c, by line: what is not in the zoo.
test.each<[string, Record<string, unknown>, string[], Record<string, unknown>?]>([
  ['a file whose name is gone and that has another', { ...deleted, nlink: 1 }, ['option', '--link-remap']],
  ['a deleted file that is large', { ...deleted, size: 2 ** 20 + 1 }, ['option', '--ghost-limit 1048577']],
  ['a deleted file that is just small enough', { ...deleted, size: 2 ** 20 }, ['dumpable']],
  ['a deleted file of a size not known', { ...deleted, size: undefined }, ['unknown']],
  [
    'a deleted file with a lock',
    { ...deleted, nlink: 2, locks: [{}] },
    ['option', '--file-locks', '--link-remap'],
  ],
  ['a file of an unknown kind', { type: 'unknown' }, ['unknown']],
  ['a block device', { type: 'block' }, ['unsupported']],
  ['a device that is not told', device(), ['unknown']],
  ['/dev/net/tun', device('10:200'), ['dumpable']],
  ['another device', device('10:232'), ['unsupported']],
  ['a terminal of a session in the tree', device('136:4'), ['dumpable'], { tty: 4 }],
  ['a terminal of a session outside', device('136:4'), ['option', '--shell-job'], { tty: 4, sid: 1 }],
  ['a terminal that is not the controlling one', device('136:4'), ['dumpable'], { sid: 1 }],
  ['a unix stream to the outside', unix, ['option', '--external unix[12]']],
  ['unix datagrams to the outside', { ...unix, socketType: 'dgram' }, ['option', '--ext-unix-sk']],
  ['a unix socket whose peer is not told', { ...unix, peer: undefined }, ['unknown']],
  ['a unix socket that listens', { ...unix, state: 'LISTEN', peer: undefined }, ['dumpable']],
  ['a unix socket without peer', { ...unix, peer: 0 }, ['dumpable']],
  [
    'a TCP socket that waits to be closed',
    { type: 'tcp', state: 'CLOSE_WAIT' },
    ['option', '--tcp-established'],
  ],
  ['a TCP socket of no state', { type: 'tcp' }, ['unknown']],
  ['MPTCP', { type: 'tcp', protocol: 'mptcp', state: 'LISTEN' }, ['unsupported']],
  [
    'a network namespace outside',
    { type: 'namespace', inode: 41, name: 'net' },
    ['option', '--external net[41]:NAME'],
  ],
  ['a network namespace of the tree', { type: 'namespace', inode: 40, name: 'net' }, ['dumpable']],
  ['another namespace outside', { type: 'namespace', inode: 41, name: 'uts' }, ['unsupported']],
  ['a namespace that is not told', { type: 'namespace' }, ['unknown']],
  ['a pidfd of the tree', { type: 'pidfd', target: 7 }, ['dumpable']],
  ['a pidfd of one who has gone', { type: 'pidfd', target: -1 }, ['dumpable']],
  ['a pidfd to the outside', { type: 'pidfd', target: 8 }, ['unsupported']],
  ['a pidfd that is not told', { type: 'pidfd' }, ['unknown']],
  ['a BPF hash', { type: 'bpf-map', mapType: 1 }, ['dumpable']],
  ['another BPF map', { type: 'bpf-map', mapType: 27 }, ['unsupported']],
  ['a BPF map that is not told', { type: 'bpf-map' }, ['unknown']],
  ['a BPF program', { type: 'bpf-prog' }, ['unsupported']],
])('%s', (_, row, expected, process) => {
  expect(verdictOf(row, process)).toEqual(expected);
});

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
        expect(eventfd.missing).toEqual(proc ? ['fileId', 'signalOwner'] : ['signalOwner']);
        // Its standard streams are the test's: one end alone is in the tree.
        const stdin = at.get(0)!;
        if (!proc) expect(stdin.options).toEqual([`--external unix[${stdin.row.inode}]`]);
        if (!proc) expect(at.get(1)!.reason).toContain('out of the tree');
      } finally {
        await zoo.end();
      }
    });

    test('of a tree with one who could not be read: not known', () => {
      const { verdict, errors } = forecast(handle().capture([process.pid, 2147483647]));
      expect(errors).toMatchObject([{ pid: 2147483647, error: { code: 'ESRCH' } }]);
      expect(['unknown', 'unsupported']).toContain(verdict);
    });
  },
  BACKENDS.filter(({ name }) => name === 'kernel' || name === 'proc' || name === 'pinned'),
);
