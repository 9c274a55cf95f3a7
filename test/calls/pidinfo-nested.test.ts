/** pidinfo asked from namespaces of the caller's own: numbers and ids are those that its /proc shows. */

import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';
import { World } from '../helpers/world.ts';

const env = { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' };

/** All that the caller's /proc shows, or the named ones, and what pidinfo says of the same. */
const compare = (wrap: readonly string[]) => async (backend: string, pids?: readonly number[]) => {
  const world = await World.start({ wrap, env });
  const found = await world.run(
    async ({ api, fs, childProcess }, { backend, pids }) => {
      const { open } = await api();
      const handle = open({ backend: backend as 'kernel' });
      // Something to list, in a namespace where nothing else is. Named ones are there already.
      const child = pids
        ? undefined
        : childProcess.spawn('sh', ['-c', 'sleep 1000 & exec sleep 1000'], { stdio: 'ignore' });
      const listed = (pid: number) => {
        const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
        const stat = text.slice(text.lastIndexOf(')') + 2).split(' ');
        const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
        const ids = (name: string) => new RegExp(`^${name}:\\t(\\d+)\\t(\\d+)`, 'm').exec(status)!;
        return {
          pid,
          ppid: Number(stat[1]),
          pgid: Number(stat[2]),
          sid: Number(stat[3]),
          command: fs.readFileSync(`/proc/${pid}/comm`, 'latin1').trimEnd(),
          uid: Number(ids('Uid')[1]),
          euid: Number(ids('Uid')[2]),
          gid: Number(ids('Gid')[1]),
          egid: Number(ids('Gid')[2]),
          startTime: Number(stat[19]) * 10,
        };
      };
      const numbers = () =>
        fs
          .readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .map(Number);
      const sleepers = () => numbers().filter((pid) => listed(pid).command === 'sleep');
      // Those that the shell has become and started: both sleep.
      while (!pids && sleepers().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      const wanted = (pids ?? numbers()).map(listed);
      const fields = Object.keys(wanted[0]!) as 'pid'[];
      const all = handle.pidinfo(undefined, { fields }).toArray();
      const named = handle
        .pidinfo(
          wanted.map(({ pid }) => pid),
          { fields },
        )
        .toArray();
      const alone = wanted.map(({ pid }) => handle.pidinfo(pid, { fields }).toArray()[0]!);
      const gone = handle.pidinfo([4_000_000], { fields }).toArray();
      handle.close();
      for (const { pid } of pids ? [] : wanted)
        if (pid !== process.pid && listed(pid).command === 'sleep') process.kill(pid, 'SIGKILL');
      child?.kill('SIGKILL');
      return { wanted, all, named, alone, gone };
    },
    { backend, pids },
  );
  await world.end();
  return found;
};

const BACKENDS = ['pinned', 'kernel', 'proc'] as const;

for (const backend of BACKENDS) {
  needs(backend, 'root', 'unshare').test(`a caller in a pid namespace of its own [${backend}]`, async () => {
    const found = await compare(['unshare', '-p', '-f', '--mount-proc'])(backend);
    expect(found.wanted.length).toBeGreaterThanOrEqual(3);
    expect(found.wanted[0]).toMatchObject({ pid: 1, ppid: 0 });
    expect(found.all).toEqual(found.wanted);
    expect(found.named).toEqual(found.wanted);
    expect(found.alone).toEqual(found.wanted);
    expect(found.gone).toEqual([{ pid: 4_000_000, error: { code: 'ESRCH', syscall: 'pidinfo' } }]);
  });
}

for (const backend of BACKENDS) {
  needs(backend, 'root', 'unshare', 'time-ns').test(
    `a caller in a time namespace of its own: times of start are those of its clock [${backend}]`,
    async () => {
      const { pid, end } = await sleeper();
      const here = Number(/\) .*/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))![0].split(' ')[20]) * 10;
      const found = await compare(['unshare', '-T', '--boottime', '100000', '-f'])(backend, [pid]);
      expect(found.wanted[0]!.startTime).toBe(here + 100_000_000);
      expect(found.named).toEqual(found.wanted);
      expect(found.alone).toEqual(found.wanted);
      expect(found.all).toContainEqual(found.wanted[0]);
      await end();
    },
  );
}

// Who is in a user namespace of his own can load no program.
for (const backend of ['pinned', 'proc'] as const) {
  needs(backend, 'user-ns', 'unshare').test(
    `a caller in a user and a pid namespace of its own [${backend}]`,
    async () => {
      const found = await compare(['unshare', '-U', '-r', '-p', '-f', '--mount-proc'])(backend);
      expect(found.wanted[0]).toMatchObject({ pid: 1, uid: 0, gid: 0 });
      expect(found.all).toEqual(found.wanted);
      expect(found.named).toEqual(found.wanted);
      expect(found.alone).toEqual(found.wanted);
    },
  );

  needs(backend, 'user-ns', 'root').test(
    `ids in a user namespace of the caller's own, with and without a mapping [${backend}]`,
    async () => {
      const mapped = await sleeper();
      const other = await sleeper('', { uid: 1234, gid: 4321 });
      const found = await compare(['unshare', '-U', '-r'])(backend, [mapped.pid, other.pid]);
      expect(found.wanted.map(({ uid, egid }) => [uid, egid])).toEqual([
        [0, 0],
        [65_534, 65_534],
      ]);
      expect(found.named).toEqual(found.wanted);
      expect(found.alone).toEqual(found.wanted);
      for (const row of found.wanted) expect(found.all).toContainEqual(row);
      await mapped.end();
      await other.end();
    },
  );
}
