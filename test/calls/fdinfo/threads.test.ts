/** Threads: one table for those that share it, a table of its own for one that unshared it. */

import { expect } from 'vitest';
import { describeBackends } from '../../helpers/backends.ts';
import { compile, openDirectory } from '../../helpers/compile.ts';
import { needs } from '../../helpers/needs.ts';
import { shell, stateOf } from '../../helpers/processes.ts';
import { until } from '../../helpers/scale.ts';

describeBackends('threads', (handle, { name }) => {
  const { test } = needs('gcc');
  const into = openDirectory();
  /** Without a way to kcmp(2), all threads of a process count as one. */
  const blind = name === 'proc by node:fs alone';

  async function start(leader: 'stays' | 'leaves') {
    const { pid, output } = shell(`exec ${compile('test/c/threads.c', into)} ${leader}`);
    const [sharing = 0, own = 0] = await until('both threads', () => {
      const found = /^(\d+) (\d+)\n/.exec(output());
      return found && [Number(found[1]), Number(found[2])];
    });
    if (leader === 'leaves') await until('the first thread is gone', () => stateOf(pid) === 'Z');
    const rows = handle()
      .fdinfo(pid)
      .toArray()
      .map((row) => ({ pid: row.pid, tid: row.tid, fd: row.fd }));
    return { pid, sharing, own, rows };
  }

  test('those that share a table appear once, one of its own under its number', async () => {
    const { pid, own, rows } = await start('stays');
    expect(rows.every((row) => row.pid === pid)).toBe(true);
    expect(rows.filter(({ fd }) => fd === 40)).toEqual(
      (blind ? [pid] : [pid, own]).map((tid) => ({ pid, tid, fd: 40 })),
    );
    expect(rows.filter(({ fd }) => fd === 50)).toEqual(blind ? [] : [{ pid, tid: own, fd: 50 }]);
    const each = rows.map(({ tid, fd }) => `${tid} ${fd}`);
    expect(new Set(each).size).toBe(each.length);
  });

  // Iterators of Linux 6.1 pass over the threads that share the table of a leader that has gone.
  const { test: afterExit } = name.startsWith('proc') ? needs('gcc') : needs('gcc', 'tier-a');
  afterExit('the same where the first thread has exited', async () => {
    const { pid, sharing, own, rows } = await start('leaves');
    expect(rows.filter(({ fd }) => fd === 40)).toEqual(
      (blind ? [sharing] : [sharing, own]).map((tid) => ({ pid, tid, fd: 40 })),
    );
    const each = rows.map(({ tid, fd }) => `${tid} ${fd}`);
    expect(new Set(each).size).toBe(each.length);
  });
});
