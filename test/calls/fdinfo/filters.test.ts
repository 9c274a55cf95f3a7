import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Descriptor, open } from '../../../src/index.ts';
import { describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { openZoo, type Zoo } from '../../helpers/zoo.ts';

describeBackends('a filter answers what the listing has of it, and no more', (handle) => {
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
