/**
 * The policy of the /proc that is mounted: an installation takes it over, and the pinned calls and
 * those by /proc then tell an ordinary user the same.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseProcPolicy } from '../../src/backends/pinned/policy.ts';
import { openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';
import { patience } from '../helpers/scale.ts';

const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const USER = { uid: 1_001, gid: 1_001 };
const OTHER = { uid: 1_002, gid: 1_002 };

/** What a backend tells a user of a process of his own and of one of somebody else's. */
interface Told {
  readonly listed: boolean[];
  readonly fdmap: string[];
  readonly threads: string[];
  readonly status: string[];
}
interface Outcome {
  readonly installed: { hidepid: number; exemptGid: number };
  readonly doctor: { mounted: boolean; hidepid: number | null; gid: number | null };
  readonly told: Record<'pinned' | 'proc', Told>;
}

/** Runs in a process of its own, whose /proc may be another one. */
const script = (at: string, pids: readonly number[], policy: object) => {
  const asUser = `
    import { open } from ${JSON.stringify(dist)};
    const pids = ${JSON.stringify(pids)};
    const code = (call) => { try { call(); return 'readable' } catch (error) { return error.code } };
    const told = {};
    for (const backend of ['pinned', 'proc']) {
      const handle = open({ backend });
      const all = handle.pidmap();
      told[backend] = {
        listed: pids.map((pid) => all.includes(pid)),
        fdmap: pids.map((pid) => code(() => handle.fdmap(pid))),
        threads: pids.map((pid) => code(() => handle.pidmap({ mode: 'threads', pid }))),
        status: handle.pidinfo(pids, { fields: ['command'] }).toArray()
          .map(({ command, error }) => error?.code ?? command),
      };
    }
    console.log(JSON.stringify(told));`;
  return `
    import { spawnSync } from 'node:child_process';
    import { diagnose, install, uninstall } from ${JSON.stringify(dist)};
    const at = ${JSON.stringify(at)};
    const { hidepid, exemptGid } = await install({ at, ...${JSON.stringify(policy)} });
    try {
      const { stdout, stderr } = spawnSync(
        process.execPath, ['--input-type=module', '-e', ${JSON.stringify(asUser)}],
        { encoding: 'utf8', env: { FDMAP_BPFFS: at }, uid: ${USER.uid}, gid: ${USER.gid} });
      if (stderr) throw new Error(stderr);
      const doctor = diagnose().proc;
      console.log(JSON.stringify({ installed: { hidepid, exemptGid }, doctor, told: JSON.parse(stdout) }));
    } finally {
      await uninstall({ at });
    }`;
};

async function underProc(options?: string): Promise<Outcome> {
  const pids = [(await sleeper('', USER)).pid, (await sleeper('', OTHER)).pid];
  // install() by itself follows the first process's /proc, which this one is not.
  const { hidepid, exemptGid } = parseProcPolicy(options ?? '');
  const policy = options ? { hidepid, exemptGid } : {};
  const text = script(join(openDirectory(), 'fdmap'), pids, policy);
  const node = [process.execPath, '--input-type=module', '-e', text];
  const [command, ...args] = options
    ? ['unshare', '-m', 'sh', '-c', `mount -t proc -o ${options} proc /proc && exec "$@"`, 'sh', ...node]
    : node;
  const { stdout, stderr } = spawnSync(command!, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** proc(5): who may see what of another's process, by the number of hidepid=. */
function ofOthers(hidepid: number): Told {
  const refusal = hidepid >= 2 ? 'ESRCH' : 'EACCES';
  return {
    listed: [true, hidepid < 2],
    fdmap: ['readable', refusal],
    threads: ['readable', hidepid === 0 ? 'readable' : refusal],
    status: ['sleep', hidepid === 0 ? 'sleep' : refusal],
  };
}

needs('root', 'kernel', 'proc', 'other-uid').describe('the policy of /proc', () => {
  it('of this machine', { timeout: patience(60_000) }, async () => {
    const [, , , options = ''] =
      readFileSync('/proc/self/mounts', 'latin1')
        .split('\n')
        .map((line) => line.split(' '))
        .findLast(([, where, type]) => where === '/proc' && type === 'proc') ?? [];
    const names = ['off', 'noaccess', 'invisible', '', 'ptraceable'];
    const hidepid = names.indexOf(/hidepid=(\w+)/.exec(options)?.[1] ?? 'off');
    const { installed, doctor, told } = await underProc();
    expect(installed.hidepid).toBe(hidepid);
    expect(doctor).toMatchObject({ mounted: true, hidepid });
    expect(told).toEqual({ pinned: ofOthers(hidepid), proc: ofOthers(hidepid) });
  });

  for (const hidepid of [1, 2, 4]) {
    needs('mount-ns').test(`hidepid=${hidepid}, gid=4321`, { timeout: patience(60_000) }, async () => {
      const { installed, doctor, told } = await underProc(`hidepid=${hidepid},gid=4321`);
      expect(installed).toEqual({ hidepid, exemptGid: 4_321 });
      expect(doctor).toEqual({ mounted: true, hidepid, gid: 4_321 });
      expect(told).toEqual({ pinned: ofOthers(hidepid), proc: ofOthers(hidepid) });
    });
  }
});
