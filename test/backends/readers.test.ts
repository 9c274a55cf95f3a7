/**
 * Two readers on one processor: a kernel with preempt=full interrupts one in the middle of a program
 * and lets the other run the same one. Neither may see anything of the other's answer.
 */

import { expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { patience, scaled } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';

/** What a reader says about itself, by every call, as long as it is asked to. */
async function reader(first: number, milliseconds: number) {
  const world = await World.start({
    wrap: ['taskset', '-c', '0'],
    env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' },
  });
  await world.run(({ place, fs }, from) => {
    // Its own numbers, and its own file behind each.
    fs.writeFileSync(`/tmp/fdmap-reader-${process.pid}`, '');
    const file = fs.openSync(`/tmp/fdmap-reader-${process.pid}`, 'r');
    for (let fd = from; fd < from + 1500; fd += 3) place(fd, file);
  }, first);
  const answer = world.run(
    async ({ api, fs }, { from, milliseconds }) => {
      const path = `/tmp/fdmap-reader-${process.pid}`;
      const handle = (await api()).open({ backend: 'pinned' });
      const wrong: string[] = [];
      let rounds = 0;
      try {
        // What is opened when it is first needed is opened now.
        handle.pidinfo(Array(100).fill(process.pid), { fields: ['pid'] });
        for (let i = 0; i < 3; i++) handle.pidinfo(undefined, { fields: ['fds'] });
        const numbers = String(handle.fdmap(process.pid));
        const own = JSON.stringify(handle.pidinfo(process.pid, { fields: ['pid', 'fds', 'ppid'] }).toArray());
        const fds = String(handle.pidinfo(process.pid, { fields: ['fds'] }).toArray()[0]?.fds);
        const whole = JSON.stringify(
          handle.pidinfo(process.pid, { fields: ['cgroup', 'files', 'command'] }).toArray(),
        );
        const threads = String(handle.pidmap({ mode: 'threads' }));
        const ours = fs.readdirSync('/proc/self/fd').filter((fd) => Number(fd) >= from).length;
        if (ours < 500) throw new Error(`${ours} descriptors`);
        const check = (what: string, found: string, truth: string) => {
          if (found !== truth && wrong.length < 5) wrong.push(`${what}: ${found.slice(0, 200)}`);
        };
        for (const end = Date.now() + milliseconds; Date.now() < end; rounds++) {
          check('fdmap', String(handle.fdmap(process.pid)), numbers);
          check('fdmap(0)', String(handle.fdmap()), numbers);
          check('pidmap', String(handle.pidmap({ mode: 'threads' })), threads);
          const row = handle.pidinfo(process.pid, { fields: ['pid', 'fds', 'ppid'] }).toArray();
          check('pidinfo', JSON.stringify(row), own);
          // By the wide program, of the walk that counts, of the path of a cgroup, and of a look at each file.
          const many = handle.pidinfo(Array(100).fill(process.pid), { fields: ['pid', 'fds', 'ppid'] });
          for (const each of many) check('pidinfo of many', JSON.stringify([each]), own);
          const counted = handle.pidinfo(undefined, { fields: ['fds'] }).toArray();
          check('counts', String(counted.find(({ pid }) => pid === process.pid)?.fds), fds);
          const status = handle.pidinfo(process.pid, { fields: ['cgroup', 'files', 'command'] }).toArray();
          check('status', JSON.stringify(status), whole);
          if (rounds % 10 !== 0) continue;
          for (const { fd, pid, path: found } of handle.fdinfo(process.pid)) {
            if (pid !== process.pid) wrong.push(`fdinfo: a row of ${pid}`);
            if (typeof fd === 'number' && fd >= from) check(`path of ${fd}`, String(found), path);
          }
        }
      } finally {
        handle.close();
        fs.unlinkSync(path);
      }
      return { rounds, wrong };
    },
    { from: first, milliseconds },
  );
  return { world, answer };
}

needs('pinned', 'proc').describe('two readers on one processor', () => {
  test('each has its own answer, whole', { timeout: patience(60_000) }, async () => {
    const milliseconds = scaled(4_000, 2_000) + patience(1_000);
    const readers = await Promise.all([1000, 1501].map((first) => reader(first, milliseconds)));
    for (const { answer } of readers) {
      const { rounds, wrong } = await answer;
      expect(wrong).toEqual([]);
      expect(rounds).toBeGreaterThan(10);
    }
  });
});
