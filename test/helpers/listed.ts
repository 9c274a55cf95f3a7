/** What /proc says about processes, read by means of the tests' own, and rows of pidinfo compared with it. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { cpus } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Process } from '../../src/index.ts';

export const file = (pid: number | string, name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1');

/** What /proc says about a process, taken apart by this test's own means. */
export function listed(pid: number | string) {
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
      rss: number(24) * pageSize,
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
    },
    shared: Number(file(pid, 'statm').split(' ')[2]) * pageSize,
  };
}

/** A page of this machine, by what `sleep` has: VmSize is in KiB, statm's in pages. */
const pageSize = (() => {
  const size = Number(/VmSize:\s+(\d+)/.exec(file('self', 'status'))![1]) * 1024;
  return 2 ** Math.round(Math.log2(size / Number(file('self', 'statm').split(' ')[0])));
})();

/**
 * Since Linux 6.2 the pages of a process are counted by each CPU for itself, and added up when
 * there are as many as compute_batch_value() of lib/percpu_counter.c says. The stat file, and so `rss`,
 * has the sum that there is. Statm adds up what the CPUs have: two kinds of pages are shared.
 */
const UNSUMMED = 2 * Math.max(32, 2 * cpus().length) * cpus().length * pageSize;

/** Often enough that a process which only waits is found at rest. */
const LOOKS = 100;

/**
 * Equal to /proc: before and after bracket what moves, and agree on the rest.
 *
 * @param pid what it is called below /proc
 * @param exact `shared` is of the same file
 */
export function expectAsListed(pid: number | string, ask: () => Process, exact = false): void {
  let before = listed(pid);
  let row = ask();
  let after = listed(pid);
  // Threads of a runtime that wake up, pages that are mapped: then it is not the same any more.
  for (let i = 0; i < LOOKS && !isDeepStrictEqual(before.fixed, after.fixed); i++) {
    before = after;
    row = ask();
    after = listed(pid);
  }
  expect(before.fixed, 'it does not come to rest').toEqual(after.fixed);
  expect(row).toMatchObject(after.fixed);
  for (const name of ['userTime', 'systemTime', 'minorFaults', 'majorFaults'] as const) {
    expect(row[name], name).toBeGreaterThanOrEqual(before.moving[name]);
    expect(row[name], name).toBeLessThanOrEqual(after.moving[name]);
  }
  expect(Math.abs(row.shared! - after.shared)).toBeLessThanOrEqual(exact ? 0 : UNSUMMED);
}

/** The first child, by what each process says: not every kernel has the file `children`. */
export function childOf(parent: number): number | undefined {
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

export const namespacesOf = (pid: number) =>
  Object.fromEntries(
    readdirSync(`/proc/${pid}/ns`).map((name) => [
      name,
      Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/${name}`).split(':')[1]!)![0]),
    ]),
  );
