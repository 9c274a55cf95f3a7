/** pidinfo: cgroups, programs and arguments, which come from elsewhere than the task itself. */

import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { describeBackends } from '../helpers/backends.ts';
import { openDirectory } from '../helpers/compile.ts';
import { deadFuse } from '../helpers/dead-fuse.ts';
import { needs, when } from '../helpers/needs.ts';
import { commandOf, shell, sleeper, zombie } from '../helpers/processes.ts';
import { patience, until } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';

/** Where the hierarchy of version 2 is mounted; undefined where it is not, or is not ours to change. */
const unified = readFileSync('/proc/self/mountinfo', 'latin1')
  .split('\n')
  .find((line) => / - cgroup2 /.test(line) && line.split(' ')[3] === '/')
  ?.split(' ')[4];

const cgroupLine = (pid: number) => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];

/** A cgroup, gone when the test ends. */
function cgroup(...names: string[]): string {
  let directory = unified!;
  for (const name of names) {
    const made = join(directory, name);
    directory = made;
    try {
      mkdirSync(made);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      continue;
    }
    onTestFinished(async () => {
      await until(`${made} is empty`, () => {
        try {
          rmdirSync(made);
          return true;
        } catch {
          return statSync(made, { throwIfNoEntry: false }) === undefined;
        }
      });
    });
  }
  return directory;
}

const enter = (directory: string, pid: number) => writeFileSync(join(directory, 'cgroup.procs'), String(pid));

const directory = openDirectory();

describeBackends('pidinfo', (handle, { name, proc }) => {
  const one = (pid: number, fields?: Parameters<ReturnType<typeof handle>['pidinfo']>[1]) =>
    handle().pidinfo(pid, fields).toArray()[0]!;
  const { test } = needs('proc');
  const { test: withCgroups } = needs('cgroup2', 'root');
  const byName = (...list: Parameters<typeof needs>) =>
    name.includes(' ') ? when(false, 'a world opens a backend by a name that open() knows') : needs(...list);
  const own = `fdmap-test-${process.pid}-${name.replaceAll(' ', '-')}`;

  withCgroups('the path of a cgroup, for each of those that are in it', async () => {
    const outer = cgroup(own);
    const inner = cgroup(own, 'ä \\ x');
    const [a, b, c] = [await sleeper(), await sleeper(), await sleeper()];
    enter(outer, a.pid);
    enter(inner, b.pid);
    enter(inner, c.pid);
    const pids = [a.pid, b.pid, c.pid];
    const wanted = pids.map((pid) => ({
      pid,
      cgroup: cgroupLine(pid),
      cgroupId: statSync(pid === a.pid ? outer : inner).ino,
    }));
    expect(wanted.map((row) => row.cgroup)).toEqual([`/${own}`, ...Array(2).fill(`/${own}/ä \\ x`)]);
    const fields = ['cgroup', 'cgroupId'] as const;
    expect(handle().pidinfo(pids, { fields }).toArray()).toEqual(wanted);
    expect(pids.map((pid) => one(pid, { fields }))).toEqual(wanted);
    const rows = handle().pidinfo(undefined, { fields }).toArray();
    for (const row of wanted) expect(rows).toContainEqual(row);
    // many at once, and none without it
    const many = handle().pidinfo(
      Array.from({ length: 90 }, (_, i) => pids[i % 3]!),
      { fields },
    );
    for (const [i, row] of many.toArray().entries()) expect(row).toEqual(wanted[i % 3]);
    // what is in a record beside a path of any length
    const { namespaces } = one(process.pid, { fields: ['namespaces'] });
    for (const pid of pids) expect(one(pid)).toMatchObject({ namespaces, cgroup: cgroupLine(pid) });
    expect(one(b.pid, { fields: ['ppid'] })).not.toHaveProperty('cgroup');
    for (const small of [a, b, c]) await small.end();
  });

  withCgroups('a path that is longer than the bound is cut, and says so', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `${i}${'x'.repeat(199)}`);
    const deep = cgroup(own, ...names);
    const small = await sleeper();
    enter(deep, small.pid);
    const whole = cgroupLine(small.pid)!;
    expect(whole.length).toBeGreaterThan(1024);
    const row = one(small.pid, { fields: ['cgroup'] });
    if (proc) expect(row).toEqual({ pid: small.pid, cgroup: whole });
    else expect(row).toEqual({ pid: small.pid, cgroup: whole.slice(0, 1024), truncated: true });
    await small.end();
  });

  withCgroups('a zombie in a cgroup that was removed', async () => {
    const gone = cgroup(own, 'gone');
    const parent = shell(`echo $$ > ${join(gone, 'cgroup.procs')}; sleep 1000 & echo $!; exec sleep 1000`);
    const child = Number(await until('the child', () => /^\d+(?=\n)/.exec(parent.output())?.[0]));
    await until('the shell is no shell any more', () => commandOf(parent.pid) === 'sleep');
    enter(unified!, parent.pid);
    process.kill(child, 'SIGKILL');
    await until('a zombie', () => / Z /.test(readFileSync(`/proc/${child}/stat`, 'latin1')));
    rmdirSync(gone);
    expect(cgroupLine(child)).toBe(`/${own}/gone (deleted)`);
    expect(one(child, { fields: ['cgroup', 'state'] })).toEqual({
      pid: child,
      state: 'Z',
      cgroup: `/${own}/gone (deleted)`,
    });
    await parent.end();
  });

  byName('cgroup2', 'unshare', 'root').test(
    'seen from a cgroup namespace, up and down, as its /proc has it',
    async () => {
      const inside = cgroup(own, 'inside');
      const below = cgroup(own, 'inside', 'below');
      const beside = cgroup(own, 'beside', 'deep');
      const smalls = [await sleeper(), await sleeper(), await sleeper()];
      for (const [i, place] of [inside, below, beside].entries()) enter(place, smalls[i]!.pid);
      const world = await World.start({
        wrap: ['sh', '-c', `echo $$ > ${inside}/cgroup.procs && exec "$@"`, 'sh'],
        env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' },
      });
      const found = await world.run(
        async ({ api, fs, syscall, nr }, { pids, backend }) => {
          const CLONE_NEWCGROUP = 0x0200_0000;
          if (syscall(nr.unshare, CLONE_NEWCGROUP) < 0) throw new Error('unshare(CLONE_NEWCGROUP)');
          const { open } = await api();
          const handle = open({ backend });
          const all = [...pids, process.pid];
          const asked = handle.pidinfo(all, { fields: ['cgroup'] }).toArray();
          const listed = all.map(
            (pid) => /^0::(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1],
          );
          handle.close();
          return { asked: asked.map((row) => row.cgroup), listed };
        },
        { pids: smalls.map(({ pid }) => pid), backend: name as 'kernel' },
      );
      expect(found.asked).toEqual(['/', '/below', '/../beside/deep', '/']);
      expect(found.asked).toEqual(found.listed);
      await world.end();
      for (const small of smalls) await small.end();
    },
  );

  test('the program: path, device and inode, of one and of all', async () => {
    const folder = join(directory, name.replaceAll(' ', '-'));
    mkdirSync(folder);
    // By its own name: it may be one of many in a busybox.
    const program = join(folder, 'sleep');
    copyFileSync('/bin/sleep', program);
    const small = shell(`exec ${program} 1000`);
    await until('it runs', () => commandOf(small.pid) === 'sleep');
    const { ino, dev } = statSync(program);
    // gnu_dev_major() and gnu_dev_minor()
    const wanted = {
      path: program,
      dev: `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`,
      inode: ino,
    };
    await until('it is mapped', () => readFileSync(`/proc/${small.pid}/maps`, 'latin1').includes(program));
    expect(one(small.pid, { fields: ['exe'] })).toEqual({ pid: small.pid, exe: wanted });
    const all = handle()
      .pidinfo(undefined, { fields: ['exe'] })
      .toArray();
    expect(all).toContainEqual({ pid: small.pid, exe: wanted });
    unlinkSync(program);
    const { exe } = one(small.pid, { fields: ['exe'] });
    if (proc) expect(exe).toEqual({ ...wanted, path: `${program} (deleted)` });
    else expect(exe).toEqual({ ...wanted, deleted: true });
    const dead = await zombie();
    expect(one(dead.pid, { fields: ['exe', 'state'] })).toEqual({ pid: dead.pid, state: 'Z' });
  });

  (proc ? when(false, 'is about no /proc') : byName('root', 'mount-ns')).test(
    'without /proc there are no arguments, and the reason is said',
    async () => {
      const world = await World.start({
        wrap: ['unshare', '-m'],
        env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' },
      });
      const row = await world.run(async ({ api, childProcess }, backend) => {
        const { open } = await api();
        const handle = open({ backend });
        childProcess.execFileSync('umount', ['-l', '/proc']);
        const [found] = handle.pidinfo(process.pid, { fields: ['args', 'command'] }).toArray();
        handle.close();
        return found;
      }, name as 'kernel');
      expect(row).toEqual({
        pid: world.pid,
        command: expect.any(String),
        argsError: { code: 'ENOENT', syscall: 'open' },
      });
      await world.end();
    },
  );

  test('arguments of a process that has gone meanwhile: its row says why', async () => {
    const { pid, end } = await sleeper();
    const rows = handle()
      .pidinfo([pid], { fields: ['args'] })
      .toArray();
    expect(rows).toEqual([{ pid, args: ['sleep', '1000'] }]);
    await end();
    expect(
      handle()
        .pidinfo([pid], { fields: ['args'] })
        .toArray()[0]!.error?.code,
    ).toBe('ESRCH');
  });

  byName('root', 'python3', 'fuse').test(
    'arguments on a file system that never answers: nobody waits for them',
    async () => {
      const fuse = await deadFuse();
      const script = join(import.meta.dirname, '../helpers/worlds/dead-args.py');
      const hostile = spawn('python3', [script, fuse.file], { stdio: ['ignore', 'pipe', 'inherit'] });
      // It ends when the file system does: until then a thread of it waits for a page, deaf to signals.
      onTestFinished(() => {
        hostile.kill('SIGKILL');
        hostile.stdout.destroy();
      });
      await new Promise((resolve, reject) => {
        hostile.stdout.once('data', resolve);
        hostile.once('exit', (code) => reject(new Error(`dead-args.py: ${code}`)));
      });
      await fuse.die();
      const other = await sleeper();
      // Another process: if it hangs, this one tells.
      const world = await World.start({ env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' } });
      const answer = world.run(
        async ({ api }, { backend, pids }) => {
          const { open } = await api();
          const handle = open({ backend });
          const everything = handle.pidinfo(pids).toArray();
          const all = handle.pidinfo(undefined).toArray();
          const withArgs = handle.pidinfo(pids, { fields: ['args', 'exe'] }).toArray();
          handle.close();
          return { everything, all, withArgs };
        },
        { backend: name as 'kernel', pids: [hostile.pid!, other.pid] },
      );
      const { everything, all, withArgs } = (await Promise.race([
        answer,
        new Promise((_, reject) => setTimeout(() => reject(new Error('it hangs')), patience(20_000))),
      ])) as Awaited<typeof answer>;
      expect(everything).toMatchObject([{ command: 'python3' }, { command: 'sleep' }]);
      expect(all).toContainEqual(expect.objectContaining({ pid: hostile.pid, command: 'python3' }));
      // What is no anonymous memory is not read: the arguments are cut off before their first byte.
      expect(withArgs).toMatchObject([
        { pid: hostile.pid, args: [] },
        { pid: other.pid, args: ['sleep', '1000'] },
      ]);
      await world.end();
    },
  );
});
