import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Descriptor, open } from '../../../src/index.ts';
import { describeBackends } from '../../helpers/backends.ts';
import { needs, when } from '../../helpers/needs.ts';
import { openZoo, type Zoo } from '../../helpers/zoo.ts';

describeBackends('a filter answers what the listing has of it, and no more', (handle, { name }) => {
  const { test } = needs('python3');
  let zoo: Zoo;
  let rows: Descriptor[];

  beforeAll(async () => {
    zoo = await openZoo();
    rows = handle().fdinfo(zoo.pid).toArray();
  });
  afterAll(() => zoo.end());

  const numbers = (list: Iterable<Descriptor>) => [...list].map(({ fd }) => fd);
  /** As JSON has them: members that are absent there are absent here. */
  const plain = (row: Descriptor): Record<string, unknown> => JSON.parse(JSON.stringify(row));
  const distinct = <T>(values: Iterable<T>): T[] => [...new Set(values)];

  test('each type', () => {
    const types = distinct(rows.map(({ type }) => type));
    expect(types.length).toBeGreaterThan(15);
    for (const type of types) {
      const wanted = rows.filter((row) => row.type === type);
      expect(numbers(handle().fdinfo(zoo.pid, { type })), type).toEqual(numbers(wanted));
    }
  });

  test('two types of different modes', () => {
    const wanted = rows.filter(({ type }) => type === 'dir' || type === 'eventfd');
    expect(wanted.length).toBeGreaterThan(1);
    expect(numbers(handle().fdinfo(zoo.pid, { type: ['dir', 'eventfd'] }))).toEqual(numbers(wanted));
  });

  test('each inode', () => {
    const inodes = distinct(rows.map((row) => row.inode)).filter((inode) => typeof inode === 'number');
    expect(inodes.length).toBeGreaterThan(15);
    for (const inode of inodes) {
      const wanted = rows.filter((row) => row.inode === inode);
      expect(numbers(handle().fdinfo(zoo.pid, { inode })), `${inode}`).toEqual(numbers(wanted));
    }
  });

  test('each port, of either end', () => {
    const ends = (row: Descriptor) => {
      const { local, remote } = plain(row) as Record<string, { port?: number } | undefined>;
      return [local?.port, remote?.port];
    };
    const inet = rows.filter(({ type }) => ['tcp', 'udp', 'udplite'].includes(type));
    const ports = distinct(inet.flatMap(ends)).filter((port) => port !== undefined && port !== 0);
    expect(ports.length).toBeGreaterThan(2);
    for (const port of ports) {
      const wanted = inet.filter((row) => ends(row).includes(port));
      expect(numbers(handle().fdinfo(zoo.pid, { port })), `${port}`).toEqual(numbers(wanted));
    }
  });

  test('several ports, inodes, paths: each in the list, and no other', () => {
    const inodes = distinct(rows.map((row) => row.inode)).filter((inode) => typeof inode === 'number');
    const two = [inodes[0]!, inodes.at(-1)!];
    const ofTwo = rows.filter((row) => two.includes(row.inode as number));
    expect(numbers(handle().fdinfo(zoo.pid, { inode: two }))).toEqual(numbers(ofTwo));
    const paths = distinct(rows.map(({ path }) => path)).filter((path) => path?.startsWith(zoo.directory));
    expect(paths.length).toBeGreaterThan(2);
    const either = [paths[0]!, paths[1]!];
    const named = handle().fdinfo(zoo.pid, { path: either }).toArray();
    expect(distinct(named.map(({ path }) => path)).sort()).toEqual([...either].sort());
    const inet = rows.filter(({ type }) => type === 'tcp' || type === 'udp');
    const local = (row: Descriptor) => (plain(row) as { local?: { port: number } }).local?.port ?? 0;
    const [a, b] = distinct(inet.map(local).filter((port) => port !== 0));
    const found = handle().fdinfo(zoo.pid, { port: [a!, b!] });
    expect(numbers(found)).toEqual(
      expect.arrayContaining(numbers(inet.filter((row) => [a, b].includes(local(row))))),
    );
    for (const empty of [{ port: [] }, { inode: [] }, { path: [] }])
      expect(numbers(handle().fdinfo(zoo.pid, empty)), JSON.stringify(empty)).toEqual([]);
  });

  const { test: withRequest } =
    name === 'pinned by streams' ? when(false, 'a stream of the machine has everything') : needs('python3');
  withRequest('details: false leaves out what a class has of its own, and nothing else', () => {
    const COMMON = ['pid', 'tid', 'command', 'processUid', 'fd', 'type', 'access', 'flags', 'cloexec', 'pos'];
    const FILE = [
      'path',
      'deleted',
      'dev',
      'inode',
      'mode',
      'size',
      'nlink',
      'uid',
      'mountId',
      'rdev',
      'fileId',
    ];
    const short = handle().fdinfo(zoo.pid, { details: false }).toArray();
    expect(numbers(short)).toEqual(numbers(rows));
    const pipes = short.filter(({ type }) => type === 'pipe').map(plain);
    expect(pipes.length).toBeGreaterThan(0);
    for (const row of pipes)
      expect(Object.keys(row).filter((name) => ![...COMMON, ...FILE].includes(name))).toEqual([]);
    for (const [i, row] of short.entries()) {
      const { locks: _, ...whole } = plain(rows[i]!);
      // What changes by itself, or is of the whole handle.
      expect(whole).toMatchObject({ fd: row.fd, type: row.type });
      for (const name of ['inode', 'path', 'dev', 'access'])
        expect(plain(row)[name], `${row.fd} ${name}`).toEqual(whole[name]);
    }
    const port = rows.flatMap((row) => (plain(row) as { local?: { port: number } }).local?.port ?? [])[0]!;
    const byPort = handle().fdinfo(zoo.pid, { details: false, port });
    expect(numbers(byPort)).toEqual(numbers(handle().fdinfo(zoo.pid, { port })));
  });

  test('a list as JSON is its rows as JSON', () => {
    const list = handle().fdinfo(zoo.pid, { type: ['file', 'dir'] });
    expect(JSON.parse(JSON.stringify(list))).toEqual(list.toArray().map(plain));
    expect(list.length).toBeGreaterThan(2);
    const processes = handle().pidinfo(zoo.pid, { fields: ['command', 'fds', 'exe'] });
    expect(JSON.parse(JSON.stringify(processes))).toEqual(JSON.parse(JSON.stringify(processes.toArray())));
  });

  test('a stream of processes that are named: their rows, and at its end who could not be read', async () => {
    const stream = handle().fdinfoStream({ pid: [zoo.pid, 2147483647], type: 'dir' });
    const found: Descriptor[] = [];
    let step = await stream.next();
    for (; !step.done; step = await stream.next()) found.push(...step.value);
    expect(numbers(found)).toEqual(numbers(handle().fdinfo(zoo.pid, { type: 'dir' })));
    expect(step.value).toEqual({
      hidden: 0,
      vanished: 1,
      errors: [{ pid: 2147483647, error: { code: 'ESRCH', syscall: 'fdinfo' } }],
    });
    await expect(handle().fdinfoStream({ pid: 2147483647 }).next()).rejects.toMatchObject({ code: 'ESRCH' });
  });

  test('a path, under whichever name', () => {
    const file = rows.find(({ fd }) => fd === zoo.animals.file?.fd);
    const path = file?.path as string;
    const wanted = rows.filter(({ dev, inode }) => dev === file?.dev && inode === file?.inode);
    expect(numbers(handle().fdinfo(zoo.pid, { path }))).toEqual(numbers(wanted));
  });

  // Without a pid the processes are looked for first: by inode, port, number, user, name, device.
  describe('of every process', () => {
    const own = (list: Iterable<Descriptor>) => numbers([...list].filter(({ pid }) => pid === zoo.pid));
    const having = (test: (row: Descriptor) => boolean) => {
      const wanted = numbers(rows.filter(test));
      expect(wanted.length).toBeGreaterThan(0);
      return wanted;
    };
    const example = () => rows.find(({ fd }) => fd === zoo.animals.file?.fd) as Descriptor;

    test('an inode', () => {
      const { inode } = example();
      const wanted = having((row) => row.inode === inode);
      expect(own(handle().fdinfo(undefined, { inode: Number(inode) }))).toEqual(wanted);
    });

    test('a path, and places', () => {
      const { path, dev, inode } = example();
      const wanted = having((row) => row.dev === dev && row.inode === inode);
      expect(own(handle().fdinfo(undefined, { path: path as string }))).toEqual(wanted);
      const places = handle().fdinfo(zoo.pid, { fd: 'cwd' }).toArray();
      const cwd = places[0]?.path as string;
      expect(own(handle().fdinfo(undefined, { path: cwd, places: true, mappings: true }))).toContain('cwd');
    });

    test('a port', () => {
      const listening = rows.find((row) => row.type === 'tcp') as Descriptor & { local?: { port: number } };
      const port = listening.local?.port as number;
      const listed = own(handle().fdinfo(zoo.pid, { port }));
      expect(listed).toContain(listening.fd);
      expect(own(handle().fdinfo(undefined, { port }))).toEqual(listed);
    });

    test('a number', () => {
      const { fd } = example();
      expect(own(handle().fdinfo(undefined, { fd }))).toEqual([fd]);
    });

    test('a command, and one that nobody has', () => {
      const { command } = example();
      expect(own(handle().fdinfo(undefined, { command }))).toEqual(numbers(rows));
      for (const none of [`${command}x`, 'longer than a name of a process can be'])
        expect(own(handle().fdinfo(undefined, { command: none })), none).toEqual([]);
    });

    test('a user, and another one', () => {
      const user = process.geteuid!();
      expect(own(handle().fdinfo(undefined, { user }))).toEqual(numbers(rows));
      expect(own(handle().fdinfo(undefined, { user: user + 1 }))).toEqual([]);
    });
  });
});

// The first question goes without the search, which would have to be loaded for it; the second does not.
needs('kernel', 'python3').test(
  'the first question of a handle and the second have the same answer',
  async () => {
    const zoo = await openZoo();
    const handle = open({ backend: 'kernel', calls: [] });
    try {
      const port = zoo.animals['tcp-listen']!.port as number;
      const ask = () => [...handle.fdinfo(undefined, { port })].map(({ pid, fd, type }) => [pid, fd, type]);
      const first = ask();
      expect(first.length).toBe(3);
      expect(ask()).toEqual(first);
    } finally {
      handle.close();
      await zoo.end();
    }
  },
);
