/** pidinfo from /proc where its files say what this machine's do not: errors half way, cgroups of version 1. */

import { expect, test } from 'vitest';
import { RecordReader } from '../../src/abi/attributes.ts';
import * as abi from '../../src/abi/layout.gen.ts';
import type { ProcessField } from '../../src/abi/pidinfo/fields.ts';
import { ProcFiles } from '../../src/backends/proc/files.ts';
import { ProcessReader } from '../../src/backends/proc/pidinfo.ts';
import { ProcessList } from '../../src/calls/process-list.ts';
import { EACCES, EMFILE, ENOENT, EPERM, ESRCH } from '../../src/sys/errno.ts';
import { needs } from '../helpers/needs.ts';

/** The caller's own /proc, but for files of these names. */
class Fixture extends ProcFiles {
  readonly #files: Readonly<Record<string, string | number>>;

  constructor(files: Readonly<Record<string, string | number>>) {
    super(undefined);
    this.#files = files;
  }

  override text(path: string): string | number {
    return this.#files[path.slice(path.lastIndexOf('/') + 1)] ?? super.text(path);
  }
}

function recordsOf(files: Readonly<Record<string, string | number>>, fields: readonly ProcessField[]) {
  const reader = new ProcessReader(new Fixture(files), {
    fields: new Set(fields),
    named: true,
    threads: false,
    pageSize: 4096,
  });
  reader.add(process.pid);
  return reader.records;
}

function rowOf(files: Readonly<Record<string, string | number>>, fields: readonly ProcessField[]) {
  const list = new ProcessList({
    records: [recordsOf(files, fields)],
    fields,
    named: true,
    bootTime: () => 0,
    args: () => [],
    executables: () => new Map(),
    startTimes: () => new Map(),
  });
  return list.toArray()[0];
}

needs('proc').describe('proc', () => {
  test('an error of oom_score_adj is the record’s, not a score', () => {
    for (const [errno, wanted] of [
      [-EMFILE, -EMFILE],
      [-ENOENT, -ESRCH],
      [-ESRCH, -ESRCH],
      [-EPERM, -EACCES],
    ] as const) {
      const record = new RecordReader(recordsOf({ oom_score_adj: errno }, ['nice', 'oomScoreAdj']));
      expect(record.next()).toBe(true);
      expect(record.error).toBe(wanted);
      expect(record.attribute(abi.PIDINFO_SCHED, abi.SIZEOF_PIDINFO_SCHED)).toBe(0);
    }
    // Not asked for, it is not read.
    expect(rowOf({ oom_score_adj: -EMFILE }, ['nice'])).toMatchObject({ nice: expect.any(Number) });
    expect(rowOf({ oom_score_adj: '-17\n' }, ['oomScoreAdj'])).toMatchObject({ oomScoreAdj: -17 });
  });

  test('cgroups of version 1: a path for each hierarchy, named by its controllers', () => {
    const cgroup = `13:devices:/user.slice
12:cpu,cpuacct:/a b/ä:x
2:name=systemd:/user.slice/session-1.scope
1:net_cls,net_prio:/
`;
    const bytes = Buffer.from(cgroup).toString('latin1');
    expect(rowOf({ cgroup: bytes }, ['cgroup', 'cgroupId', 'cgroups'])).toEqual({
      pid: process.pid,
      cgroups: {
        devices: '/user.slice',
        'cpu,cpuacct': '/a b/ä:x',
        'name=systemd': '/user.slice/session-1.scope',
        'net_cls,net_prio': '/',
      },
    });
  });

  test('a hybrid of both versions tells both', () => {
    const cgroup = '3:memory:/old\n0::/no such/new\n';
    expect(rowOf({ cgroup }, ['cgroup', 'cgroupId', 'cgroups'])).toEqual({
      pid: process.pid,
      cgroup: '/no such/new',
      cgroups: { memory: '/old' },
    });
    // Version 2 alone has none of version 1.
    expect(rowOf({ cgroup: '0::/\n' }, ['cgroups', 'cgroup'])).toEqual({ pid: process.pid, cgroup: '/' });
  });

  test('a kernel without cgroups, or a refusal: absent, and the rest is told', () => {
    for (const errno of [-ENOENT, -EACCES, -EPERM])
      expect(rowOf({ cgroup: errno, io: errno }, ['cgroup', 'cgroups', 'readBytes', 'ppid'])).toEqual({
        pid: process.pid,
        ppid: process.ppid,
      });
  });
});
