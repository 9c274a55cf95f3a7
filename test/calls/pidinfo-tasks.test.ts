/** pidinfo of tasks that are unlike a shell's: credentials, policies, threads of their own, a leader that has exited. */

import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished } from 'vitest';
import { describeBackends } from '../helpers/backends.ts';
import { compile, openDirectory } from '../helpers/compile.ts';
import { childOf, expectAsListed, file, namespacesOf } from '../helpers/listed.ts';
import { lack, needs, when } from '../helpers/needs.ts';
import { commandOf, listedThreads, shell, sleeper, stateOf } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';

const directory = openDirectory();
let actor = '';
beforeAll(() => {
  if (lack('gcc') === undefined) actor = compile(join(import.meta.dirname, '../c/actor.c'), directory);
});

/** With these credentials, and at rest: the number that it prints. */
async function target(...options: string[]): Promise<number> {
  const small = shell(`exec ${actor} target ${options.join(' ')}`);
  const pid = Number(await until('its number', () => /^\d+(?=\n)/.exec(small.output())?.[0]));
  await until('it waits', () => ['S', 'Z'].includes(stateOf(pid)));
  return pid;
}

/** Writing to a tmpfs is no work of storage. */
const TMPFS_MAGIC = 0x0102_1994;
const onStorage = [tmpdir(), '/var/tmp', import.meta.dirname].find((place) => {
  try {
    return statfsSync(place).type !== TMPFS_MAGIC;
  } catch {
    return false;
  }
});

describeBackends('pidinfo', (handle, { name, proc }) => {
  const one = (pid: number) => handle().pidinfo(pid).toArray()[0]!;

  const { test: withActor } = needs('proc', 'root', 'gcc');
  withActor('ids that all differ, and some of the capabilities', async () => {
    // CAP_KILL, CAP_SETUID and CAP_BPF, which is in the upper half.
    const caps = (2n ** 5n + 2n ** 7n + 2n ** 39n).toString(16);
    const pid = await target('uid=1001,1002,1003', 'gid=2001,2002,2003', `caps=${caps}`, 'fsuid=1004');
    expectAsListed(pid, () => one(pid), proc);
    expect(one(pid)).toMatchObject({ uid: 1001, euid: 1002, suid: 1003, fsuid: 1004 });
    expect(one(pid)).toMatchObject({ gid: 2001, egid: 2002, sgid: 2003, fsgid: 2002 });
    // A container may not have all to give.
    expect(one(pid).capEff).toBe(/^CapEff:\t(\w+)/m.exec(file(pid, 'status'))![1]);
    expect(one(pid).capEff).not.toBe(one(process.pid).capEff);
  });

  const withoutThreads = when(false, 'a stream has no threads of their own');
  const isStream = name === 'pinned by streams';

  const withoutLeader = async () => {
    const pid = await target('zombie');
    await until('the leader has exited', () => stateOf(pid) === 'Z');
    await until('the other one rests', () => listedThreads(pid).some((tid) => stateOf(tid) === 'S'));
    return pid;
  };

  withActor('a leader that has exited while a thread lives', async () => {
    const pid = await withoutLeader();
    expect(listedThreads(pid)).toHaveLength(2);
    expectAsListed(pid, () => one(pid), proc);
    expect(one(pid)).toMatchObject({ state: 'Z', threads: 2, vsize: 0, command: 'actor' });
  });

  const { test: withActorsThreads } = isStream ? withoutThreads : needs('proc', 'root', 'gcc');
  withActorsThreads('a thread has what its leader has given up', async () => {
    const pid = await withoutLeader();
    const tids = listedThreads(pid);
    const rows = handle().pidinfo(pid, { threads: true }).toArray();
    expect(rows.map(({ tid, state }) => ({ tid, state }))).toEqual([
      { tid: pid, state: 'Z' },
      { tid: tids[1], state: 'S' },
    ]);
    expect(rows[1]).toMatchObject({ pid, fds: 3 });
    expect(rows[1]!.vsize).toBeGreaterThan(0);
  });

  const { test: withRoot } = needs('proc', 'root');
  withRoot('a negative nice level, and scores for the OOM killer', async () => {
    const { pid } = await sleeper();
    for (const [nice, score] of [
      [-5, 321],
      [-20, 0],
      [19, 1000],
    ] as const) {
      setPriority(pid, nice);
      writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
      expectAsListed(pid, () => one(pid), proc);
      expect(one(pid)).toMatchObject({ nice, priority: 20 + nice, oomScoreAdj: score });
    }
    setPriority(pid, constants.priority.PRIORITY_NORMAL);
  });

  needs('proc', 'root', 'python3').test('real-time and idle policies', async () => {
    const { pid } = await sleeper();
    for (const [policy, level, priority] of [
      ['FIFO', 7, -8],
      ['RR', 99, -100],
      ['BATCH', 0, 20],
      ['IDLE', 0, 20],
    ] as const) {
      const change = `import os; os.sched_setscheduler(${pid}, os.SCHED_${policy}, os.sched_param(${level}))`;
      const small = shell(`python3 -c '${change}' && echo done`);
      await until(policy, () => small.output().includes('done'));
      expectAsListed(pid, () => one(pid), proc);
      expect(one(pid)).toMatchObject({ policy: policy.toLowerCase(), priority });
    }
  });

  const BYTES = 300_000;
  const onDisk = onStorage ? needs('python3') : when(false, 'needs a file system that is not in memory');

  /** A process whose second thread, `worker`, has written and read BYTES. */
  const readerAndWriter = async () => {
    const folder = mkdtempSync(join(onStorage!, 'fdmap-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const script = join(import.meta.dirname, '../helpers/worlds/storage.py');
    const { pid, output } = shell(`exec python3 ${script} ${folder}/file ${BYTES}`);
    const worker = Number(await until('it has', () => /^\d+(?=\n)/.exec(output())?.[0]));
    await until('it rests', () => listedThreads(pid).every((tid) => stateOf(tid) === 'S'));
    return { pid, worker };
  };
  const listedBytes = (task: number | string) => {
    const bytes = (word: string) => Number(new RegExp(`^${word}: (\\d+)`, 'm').exec(file(task, 'io'))![1]);
    return { readBytes: bytes('read_bytes'), writeBytes: bytes('write_bytes') };
  };

  onDisk.test('bytes that storage was read and written for', async () => {
    const { pid } = await readerAndWriter();
    expect(one(pid)).toMatchObject(listedBytes(pid));
    expect(one(pid).writeBytes).toBeGreaterThanOrEqual(BYTES);
    expect(one(pid).readBytes).toBeGreaterThanOrEqual(BYTES);
    expectAsListed(pid, () => one(pid), proc);
  });

  (isStream ? withoutThreads : onDisk).test('bytes and times of each thread', async () => {
    const { pid, worker } = await readerAndWriter();
    const rows = handle().pidinfo(pid, { threads: true }).toArray();
    expect(rows.map(({ tid }) => tid)).toEqual([pid, worker]);
    for (const row of rows) {
      const task = `${pid}/task/${row.tid}`;
      const again = () => [...handle().pidinfo(pid, { threads: true })].find(({ tid }) => tid === row.tid)!;
      expectAsListed(task, again, proc);
      expect(row).toMatchObject(listedBytes(task));
    }
    const [main, other] = rows;
    expect(main!.writeBytes).toBeLessThan(BYTES);
    expect(other!.writeBytes).toBeGreaterThanOrEqual(BYTES);
    expect(other!.userTime! + other!.systemTime!).toBeGreaterThanOrEqual(80);
  });

  needs('proc', 'root', 'time-ns', 'cgroup-ns').test(
    'in a time and a cgroup namespace of its own',
    async () => {
      const outer = shell('exec unshare -C -T --boottime 5000 -f sleep 1000');
      const pid = await until('the child sleeps', () => {
        const child = childOf(outer.pid);
        return child && commandOf(child) === 'sleep' && stateOf(child) === 'S' ? child : undefined;
      });
      onTestFinished(() => void process.kill(pid, 'SIGKILL'));
      // Its clock is its own, its start is told by ours.
      expectAsListed(pid, () => one(pid), proc);
      const { namespaces } = one(pid);
      expect(namespaces).toEqual(namespacesOf(pid));
      const ours = namespacesOf(process.pid);
      for (const each of ['time', 'time_for_children', 'cgroup'] as const)
        expect(namespaces![each], each).not.toBe(ours[each]);
    },
  );
});
