import { afterAll, beforeAll, expect } from 'vitest';
import type { Descriptor } from '../../../src/index.ts';
import { BACKENDS, describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { openZoo, type Zoo } from '../../helpers/zoo.ts';

/** A stream of everything, read by open(2), cannot be asked: EOPNOTSUPP (docs/backends.md). */
const ASKABLE = BACKENDS.filter(({ name }) => name !== 'pinned by streams');

describeBackends(
  'a filter answers what the listing has of it, and no more',
  (handle) => {
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
  },
  ASKABLE,
);
