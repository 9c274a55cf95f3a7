import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Descriptor } from '../../../src/index.ts';
import { describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { openZoo, type Zoo } from '../../helpers/zoo.ts';

/** st_dev as /proc and fdinfo() print it, by the C library's rule: gnu_dev_major(3). */
const device = (dev: number) =>
  `${((dev >>> 8) & 0xfff) | 0}:${(dev & 0xff) | (Math.floor(dev / 4096) & 0xfff00)}`;

describeBackends('the zoo', (handle, { name, proc }) => {
  const { test } = needs('python3');
  let zoo: Zoo;
  let rows: Map<number | string, Descriptor>;

  beforeAll(async () => {
    zoo = await openZoo();
    rows = new Map(
      handle()
        .fdinfo(zoo.pid)
        .toArray()
        .map((row) => [row.fd, row]),
    );
  });
  afterAll(() => zoo.end());

  /** The row of an animal as JSON; undefined where this machine has none. */
  function row(name: string): Record<string, unknown> | undefined {
    const animal = zoo.animals[name];
    if (!animal || animal.missing) return undefined;
    const found = rows.get(animal.fd);
    expect(found, name).toBeDefined();
    return JSON.parse(JSON.stringify(found));
  }

  function kind(name: string, expected: Record<string, unknown>, kernel: Record<string, unknown> = {}) {
    test(name, (context) => {
      const found = row(name);
      if (!found) return context.skip(String(zoo.animals[name]?.missing ?? 'not made here'));
      expect(found).toMatchObject(expected);
      if (!proc) expect(found).toMatchObject(kernel);
      else for (const member of Object.keys(kernel)) expect(found, member).not.toHaveProperty(member);
    });
  }

  test('every descriptor is there once, and no other', () => {
    const numbers = handle().fdmap(zoo.pid);
    expect([...rows.keys()]).toEqual([...numbers]);
    for (const each of rows.values())
      expect([each.pid, each.tid, each.command]).toEqual(
        [zoo.pid, zoo.pid, 'python3'].map((v) =>
          v === 'python3' ? readFileSync(`/proc/${zoo.pid}/comm`, 'utf8').trim() : v,
        ),
      );
  });

  test('what stat(2), readlink(2) and /proc/PID/fdinfo say of each', () => {
    for (const { fd, missing } of Object.values(zoo.animals)) {
      if (missing) continue;
      const found = JSON.parse(JSON.stringify(rows.get(fd)));
      const stat = statSync(`/proc/${zoo.pid}/fd/${fd}`);
      const info = readFileSync(`/proc/${zoo.pid}/fdinfo/${fd}`, 'latin1');
      const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(info)?.[1];
      expect(found.pos, `${fd}`).toBe(Number(field('pos')));
      expect(found.mountId).toBe(Number(field('mnt_id')));
      expect(found.cloexec).toBe((Number.parseInt(field('flags')!, 8) & 0o2000000) !== 0);
      if (found.type === 'unknown' || (proc && ['memfd', 'mqueue'].includes(found.type))) continue;
      expect({ ...found, fd }).toMatchObject({
        fd,
        dev: device(stat.dev),
        inode: stat.ino,
        mode: stat.mode,
        nlink: stat.nlink,
        uid: stat.uid,
      });
      if (found.rdev) expect(found.rdev).toBe(device(stat.rdev));
      if (found.size !== undefined) expect(found.size).toBe(stat.size);
    }
  });

  test('no member but those that docs/fdinfo.md lists for its type', () => {
    const page = readFileSync(new URL('../../../docs/fdinfo.md', import.meta.url), 'utf8');
    const words = (text: string) => [...text.matchAll(/`([\w-]+)`/g)].map(([, word]) => word!);
    const common = words(/^Every row: (.*)$/m.exec(page)![1]!);
    const own = new Map<string, string[]>();
    for (const [, types, members] of page.matchAll(/^\| (`[^|]*) \| ([^|]*) \|$/gm))
      for (const type of words(types!)) own.set(type, [...(own.get(type) ?? []), ...words(members!)]);
    for (const each of rows.values()) {
      const listed = new Set([...common, ...(own.get(each.type) ?? [])]);
      const found = Object.keys(JSON.parse(JSON.stringify(each)));
      expect(
        found.filter((member) => !listed.has(member)),
        `${each.fd}: ${each.type}`,
      ).toEqual([]);
      expect(common.filter((member) => found.includes(member)).length).toBeGreaterThan(8);
    }
  });

  test('paths, as the bytes that they are', () => {
    for (const name of ['file', 'fake', 'dir', 'symlink', 'char', 'fifo'])
      expect(row(name), name).toMatchObject({ path: zoo.animals[name]!.path, deleted: false });
    expect(row('deleted')).toMatchObject({ path: zoo.animals.deleted!.path, deleted: true, nlink: 0 });
    const odd = rows.get(zoo.animals.odd!.fd)!;
    expect(Buffer.from(odd.pathBytes!).toString('hex')).toBe(zoo.animals.odd!.hex);
    expect(JSON.parse(JSON.stringify(odd)).path).toBe(
      `${zoo.directory}/line\nbreak \x1b[31m \udcff\udcfe.txt`,
    );
  });

  test('locks', () => {
    expect(row('locked')?.locks).toEqual([{ kind: 'posix', type: 'write', start: 5, end: 14 }]);
    expect(row('flocked')?.locks).toEqual([{ kind: 'flock', type: 'read', start: 0 }]);
    expect(row('file')).not.toHaveProperty('locks');
  });

  test('open files, dup(2)ed and not', (context) => {
    if (proc) return context.skip('/proc has no identity of open files');
    expect(row('dup')?.fileId).toMatch(/^[\da-f]{16}$/);
    expect(row('dup')?.fileId).toBe(row('file')?.fileId);
    expect(row('locked')?.fileId).not.toBe(row('file')?.fileId);
    expect([row('dup')?.cloexec, row('file')?.cloexec]).toEqual([false, true]);
  });

  kind('file', { type: 'file', access: 'rw', pos: 4, size: 11 });
  kind('dir', { type: 'dir', access: 'r' });
  kind('symlink', { type: 'symlink', access: '-' });
  kind('char', { type: 'char', access: 'w', rdev: '1:3' });
  kind('fifo', { type: 'fifo', access: 'rw' }, { readers: 1, writers: 1, queued: 0 });
  kind('pipe-read', { type: 'pipe', access: 'r' }, { readers: 1, writers: 1, queued: 5, capacity: 65536 });
  kind('pipe-write', { type: 'pipe', access: 'w' });
  kind('raw', { type: 'raw', family: 4, protocol: 'icmp' });
  kind('netlink', { type: 'netlink', protocol: 'route', groups: 1 });
  kind('packet', { type: 'packet', protocol: 3, interface: 0 });
  kind('eventfd', { type: 'eventfd', count: 5, cloexec: true });
  test('an eventfd that counts down by one', () => {
    // /proc tells since 6.5: 33d8b5d78264
    const told = readFileSync(`/proc/${zoo.pid}/fdinfo/${zoo.animals.eventfd!.fd}`, 'latin1');
    expect(row('eventfd')?.semaphore).toBe(proc && !told.includes('eventfd-semaphore') ? undefined : true);
  });
  kind('timerfd-idle', { type: 'timerfd', clock: 'realtime', remaining: 0, interval: 0, ticks: 0 });
  kind('signalfd', { type: 'signalfd', mask: ['USR1', 'TERM'] });
  kind('fanotify', { type: 'fanotify', watches: [] });
  kind('io_uring', { type: 'io_uring', submission: { entries: 8 }, completion: { entries: 16 } });
  kind('userfaultfd', { type: 'userfaultfd' });
  kind('landlock', { type: 'landlock' });
  kind('perf', { type: 'perf' }, { eventType: 1, config: 0, cpu: -1 });
  kind('memfd', { type: 'memfd', name: 'zoo memory' }, { size: 4096, seals: ['shrink', 'grow'] });

  test('what carries a number of its own', () => {
    const { animals } = zoo;
    expect(row('master')).toMatchObject({ type: 'char', pty: animals.master!.pty, master: true });
    expect(row('slave')).toMatchObject({ type: 'char', pty: animals.slave!.pty });
    expect(row('slave')).not.toHaveProperty('master');
    expect(row('pidfd')).toMatchObject({ type: 'pidfd', target: zoo.pid });
    expect(row('namespace')).toMatchObject({
      type: 'namespace',
      name: 'net',
      inode: animals.namespace!.inode,
    });
    expect(row('netlink')).toMatchObject({ portId: animals.netlink!.portId });
    const { wd, inode } = animals.inotify!;
    expect(row('inotify')?.watches).toMatchObject([{ wd, inode, mask: ['CREATE', 'DELETE'] }]);
    const timer = row('timerfd') as { remaining: number };
    expect(timer).toMatchObject({ type: 'timerfd', clock: 'monotonic', interval: 7250 });
    expect(timer.remaining).toBeGreaterThan(3_000_000);
    expect(timer.remaining).toBeLessThanOrEqual(3_600_000);
  });

  test('TCP and UDP', () => {
    const { port } = zoo.animals['tcp-listen']!;
    const listening = { type: 'tcp', family: 4, state: 'LISTEN', local: { address: '127.0.0.1', port } };
    expect(row('tcp-listen')).toMatchObject({ ...listening, receiveQueue: 0 });
    const client = { address: '127.0.0.1', port: zoo.animals['tcp-client']!.port };
    const server = { address: '127.0.0.1', port };
    expect(row('tcp-client')).toMatchObject({
      state: 'ESTABLISHED',
      local: client,
      remote: server,
      sendQueue: 0,
    });
    expect(row('tcp-server')).toMatchObject({ local: server, remote: client, receiveQueue: 7 });
    expect(row('udp')).toMatchObject({
      type: 'udp',
      local: { address: '127.0.0.1', port: zoo.animals.udp!.port },
      remote: { address: '0.0.0.0', port: 0 },
    });
    const six = row('tcp6');
    if (six)
      expect(six).toMatchObject({ family: 6, local: { address: '::1', port: zoo.animals.tcp6!.port } });
    const netns = statSync(`/proc/${zoo.pid}/ns/net`).ino;
    expect(row('udp')?.netns).toBe(netns);
  });

  test('unix sockets', () => {
    expect(row('unix-left')).toMatchObject({ type: 'unix', socketType: 'stream', state: 'CONNECTED' });
    expect(row('unix-path')).toMatchObject({ state: 'LISTEN', path: zoo.animals['unix-path']!.path });
    const abstract = row('unix-abstract');
    expect(abstract).toMatchObject({
      abstract: zoo.animals['unix-abstract']!.abstract,
      socketType: 'dgram',
    });
    expect(abstract).not.toHaveProperty('path');
    if (name === 'proc by node:fs alone') expect(row('unix-left')).not.toHaveProperty('peer');
    else expect(row('unix-left')?.peer).toBe(zoo.animals['unix-right']!.inode);
  });

  test('epoll', () => {
    const [event, pipe] = zoo.animals.epoll!.targets as number[];
    const targets = (row('epoll')!.targets as { fd: number }[]).sort((a, b) => a.fd - b.fd);
    const inode = rows.get(pipe!)!.inode;
    expect(targets).toMatchObject(
      [
        { fd: event, events: ['IN', 'ERR', 'HUP', 'ET'] },
        { fd: pipe, events: ['IN', 'ERR', 'HUP'], inode },
      ].sort((a, b) => a.fd! - b.fd!),
    );
  });

  test('mqueue', (context) => {
    const found = row('mqueue');
    if (!found) return context.skip('no POSIX message queues here');
    if (proc) return expect(found.type).toBe('unknown');
    expect(found).toMatchObject({
      type: 'mqueue',
      maxMessages: 4,
      messageSize: 64,
      messages: 1,
      queued: 3,
    });
  });

  test('endpoints and watchers', () => {
    const list = handle().fdinfo(zoo.pid, { endpoints: true }).toArray();
    const at = (name: string) => list.find(({ fd }) => fd === zoo.animals[name]!.fd)!;
    const ends = (name: string) => at(name).endpoints?.map(({ pid, fd }) => [pid, fd]);
    expect(ends('pipe-read')).toEqual([[zoo.pid, zoo.animals['pipe-write']!.fd]]);
    expect(ends('tcp-client')).toEqual([[zoo.pid, zoo.animals['tcp-server']!.fd]]);
    expect(ends('tcp-server')).toEqual([[zoo.pid, zoo.animals['tcp-client']!.fd]]);
    expect(ends('master')).toEqual([[zoo.pid, zoo.animals.slave!.fd]]);
    expect(ends('tcp-listen')).toBeUndefined();
    if (name !== 'proc by node:fs alone')
      expect(ends('unix-left')).toEqual([[zoo.pid, zoo.animals['unix-right']!.fd]]);
    const watchers = at('eventfd').watchers?.map(({ pid, fd }) => [pid, fd]);
    expect(watchers).toEqual([[zoo.pid, zoo.animals.epoll!.fd]]);
    expect(at('udp').watchers).toBeUndefined();
  });

  test('filters', () => {
    const numbers = (options: Parameters<ReturnType<typeof handle>['fdinfo']>[1]) =>
      handle()
        .fdinfo(undefined, options)
        .toArray()
        .filter(({ pid }) => pid === zoo.pid)
        .map(({ fd }) => fd);
    const of = (...names: string[]) => names.map((name) => zoo.animals[name]!.fd).sort((a, b) => a - b);
    expect(numbers({ port: zoo.animals['tcp-listen']!.port as number })).toEqual(
      of('tcp-listen', 'tcp-client', 'tcp-server'),
    );
    expect(numbers({ path: zoo.animals.file!.path as string })).toEqual(of('file', 'dup'));
    expect(numbers({ path: zoo.animals['unix-path']!.path as string })).toEqual(of('unix-path'));
    expect(numbers({ path: zoo.animals.deleted!.path as string })).toEqual(of('deleted'));
    expect(numbers({ type: ['eventfd', 'signalfd'] })).toEqual(of('eventfd', 'signalfd'));
    expect(numbers({ tree: zoo.directory, type: 'dir' })).toEqual(of('dir'));
    expect(
      numbers({ inode: rows.get(zoo.animals.char!.fd)!.inode as number, fd: zoo.animals.char!.fd }),
    ).toEqual(of('char'));
    expect(numbers({ command: /^no such/ })).toEqual([]);
  });

  test('places and mappings', () => {
    const list = handle()
      .fdinfo(zoo.pid, { fd: ['cwd', 'root', 'exe', 'mem'] })
      .toArray();
    const at = (place: string) => list.find(({ fd }) => fd === place);
    expect(at('cwd')).toMatchObject({ path: zoo.directory, type: 'dir' });
    expect(at('root')).toMatchObject({ path: '/' });
    expect(at('exe')?.path).toMatch(/python/);
    expect(list.filter(({ fd }) => fd === 'mem').some(({ path }) => path?.includes('libc'))).toBe(true);
    expect(list.every(({ fd }) => typeof fd === 'string')).toBe(true);
  });
});
