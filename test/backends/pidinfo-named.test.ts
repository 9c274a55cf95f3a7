/** A few processes asked about by their numbers: the first times by the iterator that loads fast, then by the program. */

import { expect, onTestFinished } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';
import { World } from '../helpers/world.ts';

needs('root', 'kernel', 'tier-a', 'proc').test(
  'the same answers before and after the program is loaded',
  async () => {
    const { pid } = await sleeper('5</dev/null');
    const world = await World.start({ env: { FDMAP_BACKEND: 'kernel', FDMAP_BPFFS: '/nonexistent' } });
    onTestFinished(() => world.end());
    const { answers, threads, gone, whole, programs } = await world.run(async ({ api, outcome, fs }, pid) => {
      const { pidinfo } = await api();
      const fields = ['ppid', 'command', 'state', 'fds', 'fdLimit', 'euid', 'rss', 'startTime'] as const;
      const loaded = () =>
        fs.readdirSync('/proc/self/fd').filter((fd) => {
          const { value } = outcome(() => fs.readlinkSync(`/proc/self/fd/${fd}`));
          return value === 'anon_inode:bpf-prog';
        }).length;
      const answers: string[] = [];
      const threads: string[] = [];
      const gone: (string | undefined)[] = [];
      const programs: number[] = [];
      for (let i = 0; i < 40; i++) {
        answers.push(JSON.stringify(pidinfo([pid, 2147483647, 0], { fields })));
        threads.push(JSON.stringify(pidinfo(pid, { fields: ['tid', 'command'], threads: true })));
        gone.push(outcome(() => pidinfo(2147483647, { fields })).code);
        programs.push(loaded());
      }
      const whole = pidinfo(pid).toArray()[0]!;
      return { answers, threads, gone, whole, programs };
    }, pid);
    const [first] = answers;
    // Its own size and descriptors move while it asks; the others rest.
    const others = (text: string) => JSON.parse(text).slice(0, 2);
    for (const answer of answers) expect(others(answer)).toEqual(others(first!));
    expect(others(first!)).toEqual([
      expect.objectContaining({ pid, command: 'sleep', fds: 4, ppid: process.pid, state: 'S' }),
      { pid: 2147483647, error: { code: 'ESRCH', syscall: 'pidinfo' } },
    ]);
    expect(new Set(threads)).toEqual(new Set([JSON.stringify([{ pid, tid: pid, command: 'sleep' }])]));
    expect(new Set(gone)).toEqual(new Set(['ESRCH']));
    expect(whole).toMatchObject({ pid, readBytes: expect.any(Number) });
    expect(programs.at(-1)).toBeGreaterThan(programs[0]!);
  },
);
