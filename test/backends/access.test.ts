/**
 * Who may read whom: the verdict of fdmap() is that of readlink(/proc/PID/cwd) by
 * the same caller at the same time.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { World } from '../helpers/world.ts';

interface Caller {
  readonly uid: number;
  readonly gid: number;
  /** Bits of the effective and permitted set; undefined: what the change of ids leaves. */
  readonly caps?: number[];
}

const [CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF, CAP_NET_RAW] = [19, 38, 39, 13];
const NOBODY = 65_534;
const OTHER = 12_345;

const CALLERS: Record<string, Caller> = {
  root: { uid: 0, gid: 0 },
  'root without any capability': { uid: 0, gid: 0, caps: [] },
  user: { uid: NOBODY, gid: NOBODY },
  'user with CAP_BPF and CAP_PERFMON': { uid: NOBODY, gid: NOBODY, caps: [CAP_BPF, CAP_PERFMON] },
  'user with CAP_SYS_PTRACE': { uid: NOBODY, gid: NOBODY, caps: [CAP_SYS_PTRACE] },
  'other user': { uid: OTHER, gid: OTHER },
  'user of another group': { uid: NOBODY, gid: OTHER },
};

needs('root', 'kernel', 'other-uid').describe('access', () => {
  const targets: Record<string, number> = {};
  const worlds: World[] = [];

  /** A world that becomes somebody, and is as dumpable as asked: a change of ids takes it away. */
  async function target(name: string, caller: Caller, dumpable = 1): Promise<void> {
    const world = await World.start();
    worlds.push(world);
    await world.run(become, { ...caller, dumpable });
    targets[name] = world.pid;
  }

  beforeAll(async () => {
    await target('user', { uid: NOBODY, gid: NOBODY });
    await target('user, not dumpable', { uid: NOBODY, gid: NOBODY }, 0);
    await target('other user', { uid: OTHER, gid: OTHER });
    await target('user of another group', { uid: NOBODY, gid: OTHER });
    await target('user with a capability', { uid: NOBODY, gid: NOBODY, caps: [CAP_NET_RAW] });
    await target('root', { uid: 0, gid: 0 });
    await target('root, not dumpable', { uid: 0, gid: 0 }, 0);
    await target('root without any capability', { uid: 0, gid: 0, caps: [] });
    const saved = await World.start();
    worlds.push(saved);
    await saved.run(({ syscall, nr }) => {
      if (syscall(nr.setresgid, 65_534, 65_534, 0) < 0) throw new Error('setresgid');
      if (syscall(nr.setresuid, 65_534, 65_534, 0) < 0) throw new Error('setresuid');
      // PR_SET_DUMPABLE
      syscall(nr.prctl, 4, 1);
    });
    targets['user that can become root again'] = saved.pid;
    const zombies = await World.start();
    worlds.push(zombies);
    targets['zombie of root'] = await zombies.run(
      ({ childProcess, fs }) =>
        new Promise<number>((resolve) => {
          const child = childProcess.spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000']);
          process.on('exit', () => child.kill('SIGKILL'));
          child.stdout.once('data', async (text) => {
            const pid = Number(text);
            // What the shell becomes does not wait for it.
            while (!fs.readFileSync(`/proc/${child.pid}/comm`, 'latin1').startsWith('sleep')) {
              await new Promise((again) => setTimeout(again, 5));
            }
            process.kill(pid, 'SIGKILL');
            while (!/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'))) {
              await new Promise((again) => setTimeout(again, 5));
            }
            resolve(pid);
          });
        }),
    );
  });
  afterAll(async () => {
    for (const world of worlds) await world.end();
  });

  for (const [name, caller] of Object.entries(CALLERS)) {
    test(`${name}: kernel as readlink`, async () => {
      const world = await World.start();
      await world.run(async ({ api, keep }) => {
        // Opened as root, as an administrator's pins are: the check is the caller's at each call.
        keep.handle = (await api()).open({ backend: 'kernel' });
        keep.proc = (await api()).open({ backend: 'proc' });
      });
      await world.run(become, { ...caller, dumpable: 1 });
      const verdicts = await world.run(({ keep, fs, outcome }, pids) => {
        const codeOf = (call: () => unknown) => outcome(call).code ?? 'readable';
        return Object.entries(pids).map(([name, pid]) => ({
          name,
          truth: codeOf(() => fs.readlinkSync(`/proc/${pid}/cwd`)),
          kernel: codeOf(() => keep.handle.fdmap(pid)),
          proc: codeOf(() => keep.proc.fdmap(pid)),
        }));
      }, targets);
      // A zombie has no image to ask: kernels that keep no bit of it let everybody through whose ids
      // match, and access.bpf.h asks for the capability. A link that leads nowhere was no refusal.
      const allowed = (code: string) => code !== 'EACCES';
      const differing = verdicts.filter(
        ({ name, truth, kernel }) =>
          allowed(truth) !== allowed(kernel) && !(name.startsWith('zombie') && kernel === 'EACCES'),
      );
      expect(differing).toEqual([]);
      if (name === 'user') {
        expect(new Set(verdicts.map(({ kernel }) => kernel))).toEqual(new Set(['readable', 'EACCES']));
      }
      // By /proc the directory's mode refuses some besides; it never lets through more.
      const open = verdicts.filter(({ truth, proc }) => !allowed(truth) && allowed(proc));
      expect(open).toEqual([]);
      if (name === 'root') expect(verdicts.every(({ kernel }) => kernel === 'readable')).toBe(true);
      if (name === 'other user')
        expect(verdicts.filter(({ kernel }) => kernel === 'EACCES').length).toBeGreaterThan(4);
    });
  }

  test('a user who may load programs loads them himself', async () => {
    const world = await World.start();
    const caller = CALLERS['user with CAP_BPF and CAP_PERFMON']!;
    await world.run(become, { ...caller, dumpable: 1 });
    const result = await world.run(
      async ({ api, outcome }, { own, root }) => {
        const handle = (await api()).open({ backend: 'kernel' });
        return {
          own: handle.fdmap(own).length > 3,
          root: outcome(() => handle.fdmap(root)).code,
          pids: handle.pidmap().includes(root),
        };
      },
      { own: targets.user!, root: targets.root! },
    );
    expect(result).toEqual({ own: true, root: 'EACCES', pids: true });
  });

  test('without the right to load: auto falls back on proc and says why, kernel refuses', async () => {
    const world = await World.start();
    await world.run(become, { uid: NOBODY, gid: NOBODY, dumpable: 1 });
    const result = await world.run(async ({ api, outcome }, root) => {
      const { open } = await api();
      const { backend, why } = open();
      return {
        backend,
        why,
        kernel: outcome(() => open({ backend: 'kernel' })),
        other: outcome(() => open().fdmap(root)),
      };
    }, targets.root!);
    expect(result).toMatchObject({ backend: 'proc', kernel: { code: 'ERR_FDMAP_BACKEND_UNAVAILABLE' } });
    expect(result.why).toContain('CAP_BPF');
    expect(result.other).toMatchObject({ code: 'EACCES', syscall: 'fdmap' });
  });
});

/** Runs in a world: takes ids and capabilities. */
function become(
  { syscall, address, nr }: import('../helpers/world.ts').Inside,
  { uid, gid, caps, dumpable }: Caller & { dumpable: number },
): void {
  const succeed = (result: number, what: string) => {
    if (result < 0) throw new Error(`${what}: errno ${-result}`);
  };
  // prctl(2): PR_SET_KEEPCAPS, PR_SET_DUMPABLE
  const [KEEPCAPS, DUMPABLE] = [8, 4];
  if (caps) succeed(syscall(nr.prctl, KEEPCAPS, 1), 'keepcaps');
  if (uid !== 0 || gid !== 0) process.setgroups!([]);
  // The thread's own system calls: others of the process are nobody's subject here.
  succeed(syscall(nr.setresgid, gid, gid, gid), 'setresgid');
  succeed(syscall(nr.setresuid, uid, uid, uid), 'setresuid');
  if (caps) {
    // struct __user_cap_header_struct, version 3, and two __user_cap_data_struct
    const header = new Uint32Array([0x20080522, 0]);
    const data = new Uint32Array(6);
    for (const cap of caps) {
      data[(cap >> 5) * 3]! |= 1 << (cap & 31);
      data[(cap >> 5) * 3 + 1]! |= 1 << (cap & 31);
    }
    succeed(syscall(nr.capset, address(header.buffer), address(data.buffer)), 'capset');
    if (header.length + data.length !== 8) throw new Error('kept alive');
  }
  succeed(syscall(nr.prctl, DUMPABLE, dumpable), 'dumpable');
}
