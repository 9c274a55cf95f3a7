import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import type { Process } from '../../src/index.ts';
import { describeBackends } from '../helpers/backends.ts';
import { needs, when } from '../helpers/needs.ts';
import { commandOf, shell, sleeper as started, stateOf, zombie } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';

const file = (pid: number | string, name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1');

/** A `sleep` that sleeps: one that has just been started still maps its libraries. */
async function sleeper(...args: Parameters<typeof started>) {
  const small = await started(...args);
  await until('it sleeps', () => stateOf(small.pid) === 'S');
  return small;
}

/** What /proc says about a process, taken apart by this test's own means. */
function listed(pid: number | string) {
  const text = file(pid, 'stat');
  const stat = [
    '',
    text.slice(0, text.indexOf(' ')),
    '',
    ...text.slice(text.lastIndexOf(')') + 2).split(' '),
  ];
  const number = (field: number) => Number(stat[field]);
  const status = new Map(
    file(pid, 'status')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const ids = (name: string) => status.get(name)!.split('\t').map(Number);
  const [uid, euid, suid, fsuid] = ids('Uid');
  const [gid, egid, sgid, fsgid] = ids('Gid');
  const [soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(file(pid, 'limits'))!.slice(1).map(Number);
  return {
    fixed: {
      pid: Number(status.get('Tgid')),
      ppid: number(4),
      pgid: number(5),
      sid: number(6),
      state: stat[3],
      command: file(pid, 'comm').trimEnd(),
      kernelThread: (number(9) & 0x20_0000) !== 0,
      threads: number(20),
      uid,
      euid,
      suid,
      fsuid,
      gid,
      egid,
      sgid,
      fsgid,
      capEff: status.get('CapEff'),
      startTime: number(22) * 10,
      vsize: number(23),
      priority: number(18),
      nice: number(19),
      cpu: number(39),
      policy: ['other', 'fifo', 'rr', 'batch', '', 'idle', 'deadline'][number(41)],
      oomScoreAdj: Number(file(pid, 'oom_score_adj')),
      fdLimit: soft,
      fdLimitMax: hard,
      fdTable: Number(status.get('FDSize') ?? 0),
    },
    moving: {
      userTime: number(14) * 10,
      systemTime: number(15) * 10,
      minorFaults: number(10),
      majorFaults: number(12),
      rss: number(24) * pageSize,
    },
    shared: Number(file(pid, 'statm').split(' ')[2]) * pageSize,
  };
}

/** A page of this machine, by what `sleep` has: VmSize is in KiB, statm's in pages. */
const pageSize = (() => {
  const size = Number(/VmSize:\s+(\d+)/.exec(file('self', 'status'))![1]) * 1024;
  return 2 ** Math.round(Math.log2(size / Number(file('self', 'statm').split(' ')[0])));
})();

/** Counters of each CPU that are not in the sum yet: 32 pages or more each, for three kinds. */
const UNSUMMED = 3 * 64 * 8 * pageSize;

/** Often enough that a process which only waits is found at rest. */
const LOOKS = 100;

/** Equal to /proc: before and after bracket what moves, and agree on the rest. */
function expectAsListed(pid: number, ask: () => Process): void {
  let before = listed(pid);
  let row = ask();
  let after = listed(pid);
  // Threads of a runtime that wake up, pages that are mapped: then it is not the same any more.
  for (let i = 0; i < LOOKS && !isDeepStrictEqual(before.fixed, after.fixed); i++) {
    before = after;
    row = ask();
    after = listed(pid);
  }
  expect(row).toMatchObject(after.fixed);
  for (const name of ['userTime', 'systemTime', 'minorFaults', 'majorFaults'] as const) {
    expect(row[name], name).toBeGreaterThanOrEqual(before.moving[name]);
    expect(row[name], name).toBeLessThanOrEqual(after.moving[name]);
  }
  expect(Math.abs(row.rss! - after.moving.rss)).toBeLessThanOrEqual(UNSUMMED);
  expect(Math.abs(row.shared! - after.shared)).toBeLessThanOrEqual(UNSUMMED);
}

/** The first child, by what each process says: not every kernel has the file `children`. */
function childOf(parent: number): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = file(name, 'stat');
      if (Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]) === parent) return Number(name);
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code!)) throw error;
    }
  }
  return undefined;
}

const namespacesOf = (pid: number) =>
  Object.fromEntries(
    readdirSync(`/proc/${pid}/ns`).map((name) => [
      name,
      Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/${name}`).split(':')[1]!)![0]),
    ]),
  );

describeBackends('pidinfo', (handle, { name, proc }) => {
  const one = (pid: number, fields?: Parameters<ReturnType<typeof handle>['pidinfo']>[1]) => {
    const rows = handle().pidinfo(pid, fields).toArray();
    expect(rows).toHaveLength(1);
    return rows[0]!;
  };
  const { test: withRoot } = needs('root');
  const { test } = needs('proc');

  test('a process at rest: every field as /proc has it', async () => {
    const { pid } = await sleeper('9>/dev/null 12</dev/null');
    expectAsListed(pid, () => one(pid));
    const row = one(pid);
    expect(row).toMatchObject({
      fds: readdirSync(`/proc/${pid}/fd`).length,
      fdUse: readdirSync(`/proc/${pid}/fd`).length / row.fdLimit!,
      tty: null,
      namespaces: namespacesOf(pid),
      readBytes: Number(/^read_bytes: (\d+)/m.exec(file(pid, 'io'))![1]),
      writeBytes: Number(/^write_bytes: (\d+)/m.exec(file(pid, 'io'))![1]),
    });
    expect(row).not.toHaveProperty('args');
    expect(row).not.toHaveProperty('tid');
    const age = Date.now() - Date.parse(row.started!);
    expect(age).toBeGreaterThanOrEqual(-50);
    expect(age).toBeLessThan(60_000 * 10);
    if (!proc) expect(row.cgroupId).toBeGreaterThan(0);
  });

  test('a process at work, with threads that have exited: times and faults add up', async () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const burn = 'const end = Date.now() + 150; while (Date.now() < end) require("fs").statSync("/")';
      const workers = [1, 2, 3].map(() => new Worker(burn, { eval: true }));
      Promise.all(workers.map((w) => new Promise((done) => w.on('exit', done)))).then(() => {
        console.log('burnt'); setInterval(() => {}, 1e6); });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
    });
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      // No room for one more thread, for example: then there is nothing to wait for.
      child.once('exit', (code, signal) => reject(new Error(`it ended: ${code ?? signal}`)));
    });
    await until('it rests', () => {
      const { moving } = listed(child.pid!);
      return moving.userTime + moving.systemTime > 0 && listed(child.pid!).fixed.state === 'S';
    });
    expectAsListed(child.pid!, () => one(child.pid!));
    expect(one(child.pid!).userTime! + one(child.pid!).systemTime!).toBeGreaterThanOrEqual(200);
  });

  test('only what is asked for is in a row, and pid always', async () => {
    const { pid } = await sleeper();
    expect(one(pid, { fields: ['fds', 'ppid'] })).toEqual({ pid, fds: 3, ppid: process.pid });
    expect(one(pid, { fields: [] })).toEqual({ pid });
    expect(() => handle().pidinfo(pid, { fields: ['nonsense' as 'fds'] })).toThrow(/EINVAL.*nonsense/);
  });

  test('arguments, whatever bytes they are', async () => {
    const other = spawn('sh', ['-c', 'read x', 'ü', ''], { stdio: ['pipe', 'ignore', 'ignore'] });
    onTestFinished(() => {
      other.kill('SIGKILL');
      other.stdin.destroy();
    });
    // A program has its name before it has its arguments: begin_new_exec() in fs/exec.c.
    const started = () =>
      commandOf(other.pid!) === 'sh' && readFileSync(`/proc/${other.pid}/cmdline`).length > 0;
    await until('it runs', started);
    expect(one(other.pid!, { fields: ['args'] })).toEqual({
      pid: other.pid,
      args: ['sh', '-c', 'read x', 'ü', ''],
    });
  });

  needs('proc', 'prlimit').test('nice levels, limits and scheduling policy', async () => {
    const { pid } = await sleeper();
    const changed = shell(
      `renice -n 7 -p ${pid} >/dev/null; prlimit --pid ${pid} --nofile=77:88; chrt -b -p 0 ${pid} && echo batch; echo ok; exec sleep 1000`,
    );
    await until('changed', () => changed.output().includes('ok'));
    // a busybox's chrt knows no batch
    const policy = changed.output().includes('batch') ? 'batch' : 'other';
    expect(one(pid)).toMatchObject({ nice: 7, priority: 27, fdLimit: 77, fdLimitMax: 88, policy });
    expectAsListed(pid, () => one(pid));
  });

  withRoot('another user, with ids that differ', async () => {
    const { pid } = await sleeper('', { uid: 1234, gid: 4321 });
    expectAsListed(pid, () => one(pid));
    expect(one(pid)).toMatchObject({ uid: 1234, euid: 1234, gid: 4321, capEff: '0000000000000000' });
  });

  needs('proc', 'script').test('a controlling terminal', async () => {
    const outer = shell('exec script -qec "exec sleep 1000" /dev/null </dev/null >/dev/null');
    const pid = await until('the child sleeps', () => {
      const child = childOf(outer.pid);
      return child && commandOf(child) === 'sleep' && stateOf(child) === 'S' ? child : undefined;
    });
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    expectAsListed(pid, () => one(pid));
    expect(`/dev/${one(pid).tty}`).toBe(readlinkSync(`/proc/${pid}/fd/0`));
    expect(one(pid)).toMatchObject({ sid: pid, pgid: pid });
  });

  test('bytes that storage was written for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fdmap-test-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    // What replaces the shell keeps its account.
    const small = shell(`head -c 300000 /dev/zero > ${directory}/a; echo ok; exec sleep 1000`);
    await until('it sleeps', () => commandOf(small.pid) === 'sleep' && stateOf(small.pid) === 'S');
    const io = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(file(small.pid, 'io'))![1]);
    const { readBytes, writeBytes } = one(small.pid);
    expect({ readBytes, writeBytes }).toEqual({ readBytes: io('read_bytes'), writeBytes: io('write_bytes') });
  });

  test('a zombie', async () => {
    const { pid, parent } = await zombie();
    const row = one(pid);
    expect(row).toMatchObject({ pid, ppid: parent.pid, state: 'Z', fds: 0, fdTable: 0, vsize: 0, rss: 0 });
    expect(row).toMatchObject({ startTime: listed(pid).fixed.startTime, threads: listed(pid).fixed.threads });
    expect(one(pid, { fields: ['args'] }).args).toEqual([]);
  });

  test('a kernel thread', () => {
    if (!readdirSync('/proc').includes('2') || !listed(2).fixed.kernelThread) return;
    expectAsListed(2, () => one(2));
    expect(one(2)).toMatchObject({ command: 'kthreadd', kernelThread: true, ppid: 0, vsize: 0 });
  });

  const { test: withThreads } = when(name !== 'pinned by streams', 'a stream has no threads of their own');
  withThreads('threads have their own numbers, states and times', () => {
    const tids = readdirSync('/proc/self/task').map(Number);
    const rows = handle().pidinfo(process.pid, { threads: true }).toArray();
    expect(rows.map(({ tid }) => tid)).toEqual(expect.arrayContaining(tids));
    expect(new Set(rows.map(({ pid }) => pid))).toEqual(new Set([process.pid]));
    const sum = rows.reduce((all, { minorFaults = 0 }) => all + minorFaults, 0);
    expect(sum).toBeLessThanOrEqual(one(process.pid).minorFaults!);
    const [, second] = tids;
    if (second !== undefined)
      expect(one(second, { fields: ['tid'] })).toEqual({ pid: process.pid, tid: second });
  });

  test('all: what runs from the beginning to the end is in the list, once', async () => {
    const { pid } = await sleeper();
    const list = handle().pidinfo(undefined, { fields: ['command', 'ppid'] });
    const rows = list.toArray();
    expect(rows).toHaveLength(list.length);
    expect(new Set(rows.map((row) => row.pid)).size).toBe(rows.length);
    expect(rows).toContainEqual({ pid, command: 'sleep', ppid: process.pid });
    expect(rows).toContainEqual(expect.objectContaining({ pid: process.pid }));
    expect(list.vanished).toBe(0);
    expect([...list]).toEqual(rows);
  });

  test('counts of descriptors alone, asked again and again, are those of /proc', async () => {
    const few = await sleeper();
    const many = await sleeper('5</dev/null 6</dev/null 9</dev/null');
    const dead = await zombie();
    for (let i = 0; i < 3; i++) {
      const list = handle().pidinfo(undefined, { fields: ['fds'] });
      const rows = list.toArray();
      for (const [pid, fds] of [
        [few.pid, 3],
        [many.pid, 6],
        [dead.pid, 0],
      ])
        expect(rows).toContainEqual({ pid, fds });
      const pids = rows.map((row) => row.pid);
      expect(pids).toEqual([...new Set(pids)].sort((a, b) => a - b));
      const { startTime } = list.columns(['startTime']);
      expect(startTime[pids.indexOf(few.pid)]).toBe(listed(few.pid).fixed.startTime);
    }
  });

  test('named: in their order, those that are gone with their error', async () => {
    const { pid, end } = await sleeper();
    await end();
    expect(() => handle().pidinfo(pid)).toThrow(
      expect.objectContaining({ code: 'ESRCH', syscall: 'pidinfo', pid }),
    );
    const list = handle().pidinfo([pid, process.pid, -5, process.pid], { fields: ['pid'] });
    expect(list.toArray()).toEqual([
      { pid, error: { code: 'ESRCH', syscall: 'pidinfo' } },
      { pid: process.pid },
      { pid: -5, error: { code: 'ESRCH', syscall: 'pidinfo' } },
      { pid: process.pid },
    ]);
    expect(list.vanished).toBe(2);
    expect(handle().pidinfo([]).toArray()).toEqual([]);
    expect(one(0, { fields: ['pid'] })).toEqual({ pid: process.pid });
    for (const bad of [1.5, Number.NaN, 2 ** 31]) expect(() => handle().pidinfo(bad)).toThrow(/EINVAL/);
  });

  test('columns and snapshot are of the same rows', async () => {
    const outer = shell('sleep 1000 & sleep 1000 & echo ready; wait');
    await until('ready', () => outer.output().includes('ready'));
    const list = handle().pidinfo(undefined, { fields: ['ppid', 'startTime', 'fds', 'userTime'] });
    const rows = list.toArray();
    const { pid, fds } = list.columns(['pid', 'fds', 'rss' as 'fds']);
    expect([...pid]).toEqual(rows.map((row) => row.pid));
    expect([...fds]).toEqual(rows.map((row) => row.fds ?? Number.NaN));
    const snapshot = list.snapshot();
    const top = snapshot.byPid.get(outer.pid)!;
    onTestFinished(() => {
      for (const { pid: child } of snapshot.children(outer.pid)) process.kill(child, 'SIGKILL');
    });
    expect(snapshot.children(outer.pid)).toHaveLength(2);
    expect([...snapshot.descendants(top)]).toEqual(snapshot.children(outer.pid));
    expect(snapshot.parent(snapshot.children(outer.pid)[0]!)).toBe(top);
    expect([...snapshot.ancestors(snapshot.children(outer.pid)[0]!)][0]).toBe(top);
    expect([...snapshot.tree()]).toHaveLength(rows.length);
    await outer.end();
    const later = handle()
      .pidinfo(undefined, { fields: ['ppid', 'startTime'] })
      .snapshot();
    expect(later.since(snapshot).ended).toContainEqual(top);
    expect(later.has(top)).toBe(false);
  });

  withRoot('a pid that is used again is another process', async () => {
    const { pid, end } = await sleeper();
    const before = handle().pidinfo([pid]).snapshot();
    await end();
    await until('the number is free', () => !readdirSync('/proc').includes(String(pid)));
    // startTime has the steps of a clock tick, 10 ms: what starts within one cannot be told apart.
    await new Promise((resolve) => setTimeout(resolve, 25));
    // The next number that the kernel gives: pid_namespaces(7). A neighbour may be faster.
    let again = 0;
    await until('the number is used again', async () => {
      writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
      const small = shell('sleep 0.05; exec sleep 1000');
      again = small.pid;
      if (again !== pid) await small.end();
      return again === pid;
    });
    const after = handle().pidinfo([pid]).snapshot();
    expect(after.since(before)).toMatchObject({
      started: [{ pid }],
      ended: [{ pid }],
      stayed: [],
    });
  });

  needs('unshare', 'user-ns').test('in namespaces of its own, seen from here', async () => {
    const outer = shell('exec unshare -U -r -p -f -n -u -i sleep 1000');
    // Asleep, not just begun: until then it maps its libraries.
    const pid = await until('the child sleeps', () => {
      const child = childOf(outer.pid);
      return child && commandOf(child) === 'sleep' && stateOf(child) === 'S' ? child : undefined;
    });
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    expectAsListed(pid, () => one(pid));
    expect(one(pid).namespaces).toEqual(namespacesOf(pid));
    expect(one(pid).namespaces!.user).not.toBe(namespacesOf(process.pid).user);
  });

  withRoot('in a cgroup of its own', async () => {
    const root = '/sys/fs/cgroup';
    if (!readFileSync('/proc/self/mounts', 'latin1').includes(`${root} cgroup2`)) return;
    const directory = `${root}/fdmap-test-${process.pid}-${proc}`;
    mkdirSync(directory);
    const small = await sleeper();
    onTestFinished(async () => {
      await small.end();
      await until('the cgroup is empty', () => {
        try {
          rmdirSync(directory);
          return true;
        } catch {
          return false;
        }
      });
    });
    writeFileSync(`${directory}/cgroup.procs`, String(small.pid));
    if (!proc) expect(one(small.pid).cgroupId).toBe(statSync(directory).ino);
  });

  test('churn: processes that come and go are whole rows or none', async () => {
    const churn = shell('while :; do (exit 0) & (exit 1) & wait; done');
    for (let i = 0; i < 30; i++) {
      for (const row of handle().pidinfo(undefined, { fields: ['command', 'startTime', 'fds', 'ppid'] })) {
        expect(row).not.toHaveProperty('error');
        expect(row.command).toEqual(expect.any(String));
        expect(row.startTime).toBeGreaterThanOrEqual(0);
      }
    }
    await churn.end();
  });
});
