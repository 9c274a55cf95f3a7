import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { PROCESS_FIELD_NAMES } from '../../src/abi/pidinfo/fields.ts';
import type { Process } from '../../src/index.ts';
import { describeBackends } from '../helpers/backends.ts';
import { childOf, expectAsListed, file, listed, namespacesOf } from '../helpers/listed.ts';
import { needs, when } from '../helpers/needs.ts';
import {
  commandOf,
  isKernelThread,
  shell,
  sleeper as started,
  stateOf,
  zombie,
} from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';

/** A `sleep` that sleeps: one that has just been started still maps its libraries. */
async function sleeper(...args: Parameters<typeof started>) {
  const small = await started(...args);
  await until('it sleeps', () => stateOf(small.pid) === 'S');
  return small;
}

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
    expectAsListed(pid, () => one(pid), proc);
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
    expectAsListed(child.pid!, () => one(child.pid!), proc);
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
    expectAsListed(pid, () => one(pid), proc);
  });

  withRoot('another user, with ids that differ', async () => {
    const { pid } = await sleeper('', { uid: 1234, gid: 4321 });
    expectAsListed(pid, () => one(pid), proc);
    expect(one(pid)).toMatchObject({ uid: 1234, euid: 1234, gid: 4321, capEff: '0000000000000000' });
  });

  needs('proc', 'script').test('a controlling terminal', async () => {
    const outer = shell('exec script -qec "exec sleep 1000" /dev/null </dev/null >/dev/null');
    const pid = await until('the child sleeps', () => {
      const child = childOf(outer.pid);
      return child && commandOf(child) === 'sleep' && stateOf(child) === 'S' ? child : undefined;
    });
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    expectAsListed(pid, () => one(pid), proc);
    expect(`/dev/${one(pid).tty}`).toBe(readlinkSync(`/proc/${pid}/fd/0`));
    expect(one(pid)).toMatchObject({ sid: pid, pgid: pid });
  });

  test('a zombie', async () => {
    const { pid, parent } = await zombie();
    const row = one(pid);
    expect(row).toMatchObject({ pid, ppid: parent.pid, state: 'Z', fds: 0, fdTable: 0, vsize: 0, rss: 0 });
    // Credentials, limits and the rest are there until it is waited for.
    expectAsListed(pid, () => one(pid), proc);
    expect(one(pid, { fields: ['args'] }).args).toEqual([]);
  });

  when(isKernelThread(2), 'kthreadd is not to be seen').test('a kernel thread', () => {
    expectAsListed(2, () => one(2), proc);
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
    expectAsListed(pid, () => one(pid), proc);
    expect(one(pid).namespaces).toEqual(namespacesOf(pid));
    expect(one(pid).namespaces!.user).not.toBe(namespacesOf(process.pid).user);
  });

  test('churn: processes that come and go are whole rows or none', async () => {
    const churn = shell('while :; do (exit 0) & (exit 1) & wait; done');
    const groups = ['command', 'euid', 'fds', 'fdLimit', 'userTime', 'minorFaults', 'vsize', 'nice'] as const;
    const expectWhole = (row: Process) => {
      expect(row.startTime).toBeGreaterThanOrEqual(0);
      for (const field of groups) expect(row, `${row.pid}: ${field}`).toHaveProperty(field);
    };
    for (let i = 0; i < 20; i++) {
      const pids: number[] = [];
      for (const row of handle().pidinfo(undefined)) {
        expect(row).not.toHaveProperty('error');
        expectWhole(row);
        pids.push(row.pid);
      }
      // Of those that were there a moment ago some are not.
      const rows = handle().pidinfo(pids, { fields: [...PROCESS_FIELD_NAMES] });
      const found = rows.toArray();
      expect(found.map(({ pid }) => pid)).toEqual(pids);
      for (const row of found) {
        if (row.error) expect(row.error).toEqual({ code: 'ESRCH', syscall: 'pidinfo' });
        else expectWhole(row);
      }
      expect(rows.vanished).toBe(found.filter(({ error }) => error).length);
    }
    await churn.end();
  });
});
