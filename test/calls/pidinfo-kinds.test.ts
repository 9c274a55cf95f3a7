/** `files`, `sockets`, `pipes` and `other`: every class of descriptor that there is, each in its count. */

import { afterAll, beforeAll, expect } from 'vitest';
import { type DescriptorType, readImageFrom } from '../../src/index.ts';
import { describeBackends } from '../helpers/backends.ts';
import { needs, when } from '../helpers/needs.ts';
import { listedDescriptors, listedThreads, shell, sleeper } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { openZoo, type Zoo } from '../helpers/zoo.ts';

const FIELDS = ['fds', 'files', 'sockets', 'pipes', 'other'] as const;
const KINDS: Readonly<Record<'files' | 'sockets' | 'pipes', readonly DescriptorType[]>> = {
  files: ['file', 'dir', 'symlink', 'block', 'char', 'unknown'],
  sockets: [
    ...(['tcp', 'udp', 'udplite', 'raw', 'ping'] as const),
    ...(['unix', 'netlink', 'packet', 'vsock', 'socket'] as const),
  ],
  pipes: ['pipe', 'fifo'],
};

needs('proc', 'root', 'python3').describe('a zoo', () => {
  let zoo: Zoo;
  beforeAll(async () => {
    zoo = await openZoo();
  });
  afterAll(async () => {
    await zoo?.end();
  });

  describeBackends('kinds of descriptors', (handle, { name }) => {
    const one = (pid: number) => handle().pidinfo(pid, { fields: FIELDS }).toArray()[0]!;

    needs('proc').test('each descriptor of the zoo is in the count of its type', () => {
      const types = handle()
        .fdinfo(zoo.pid)
        .toArray()
        .map(({ type }) => type);
      const of = (kind: keyof typeof KINDS) => types.filter((type) => KINDS[kind].includes(type)).length;
      const counts = { files: of('files'), sockets: of('sockets'), pipes: of('pipes') };
      const { files, sockets, pipes } = counts;
      expect(one(zoo.pid)).toEqual({
        pid: zoo.pid,
        fds: listedDescriptors(zoo.pid).length,
        ...counts,
        other: types.length - files - sockets - pipes,
      });
      // Nothing of this zoo is without its kind.
      expect(Math.min(files, sockets, pipes, types.length - files - sockets - pipes)).toBeGreaterThan(2);
    });

    needs('proc').test('what is known, to the last one; none of none; a large table', async () => {
      const few = await sleeper('<&- >&- 2>&-');
      expect(one(few.pid)).toEqual({ pid: few.pid, fds: 0, files: 0, sockets: 0, pipes: 0, other: 0 });
      const script = [
        'import os, socket, select, time',
        'os.closerange(0, 3)',
        'for i in range(3): os.open("/dev/null", os.O_RDWR)',
        'p = os.pipe(); s = socket.socketpair(); e = select.epoll(); m = os.memfd_create("a")',
        'd = os.open("/proc/self/ns/net", os.O_RDONLY); f = os.open("/", os.O_RDONLY)',
        'os.dup2(f, 700); os.dup2(p[0], 639); os.dup2(p[0], 640)',
        'time.sleep(1000)',
      ].join('\n');
      const child = shell(`exec python3 -c '${script}'`);
      await until('it has them all', () => listedDescriptors(child.pid).includes(640));
      expect(one(child.pid)).toEqual({ pid: child.pid, fds: 14, files: 5, sockets: 2, pipes: 4, other: 3 });
    });

    needs('proc').test('of all processes, and not unless they are asked for', () => {
      const rows = handle().pidinfo(undefined, { fields: FIELDS }).toArray();
      expect(rows.find(({ pid }) => pid === zoo.pid)).toEqual(one(zoo.pid));
      for (const row of rows)
        if (row.files !== undefined && row.pid === zoo.pid)
          expect(row.files + row.sockets! + row.pipes! + row.other!).toBe(row.fds);
      expect(handle().pidinfo(zoo.pid).toArray()[0]).not.toHaveProperty('files');
      const { files, other } = handle()
        .pidinfo(zoo.pid, { fields: ['files', 'other'] })
        .columns(['files', 'other']);
      expect([files[0], other[0]]).toEqual([one(zoo.pid).files, one(zoo.pid).other]);
    });

    const withThreads =
      name === 'pinned by streams' ? when(false, 'a stream has no threads of their own') : needs('proc');
    withThreads.test('of a thread the table that it uses', () => {
      const rows = handle()
        .pidinfo(zoo.pid, { threads: true, fields: ['tid', 'files'] })
        .toArray();
      expect(rows.map(({ tid }) => tid)).toEqual(listedThreads(zoo.pid));
      for (const row of rows) expect(row.files).toBe(one(zoo.pid).files);
    });

    needs('proc').test('out of an image: counted in its descriptors', async () => {
      const image = await readImageFrom(handle().dump(zoo.pid));
      expect(image.pidinfo(zoo.pid, { fields: FIELDS }).toArray()).toEqual([one(zoo.pid)]);
      expect(image.pidinfo().toArray()[0]).not.toHaveProperty('files');
      const [status] = image.pidinfo(undefined, { fields: ['command', 'sockets', 'cgroup', 'nice'] });
      const [live] = handle().pidinfo(zoo.pid, { fields: ['command', 'sockets', 'cgroup', 'nice'] });
      expect(status).toEqual(live);
    });
  });
});
