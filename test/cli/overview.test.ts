/** `fdmap`: every process. Only those that the test starts are looked at. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { listedDescriptors, sleeper } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';
import { BACKENDS, fdmap, onTerminal } from './helpers.ts';

interface Row {
  pid: number;
  user: string;
  fds: number;
  fdLimit: number | null;
  fdUse: number;
  command: string;
  readonly files: number;
  readonly sockets: number;
  readonly pipes: number;
}

/** Colour, a direction override, a bell: 15 bytes, which is all that a name can have. */
const HOSTILE = '\x1b[31mr\u202e\x07evil';
const SHOWN = '\\x1b[31mr\\u{202e}\\x07evil';

const hostile = () =>
  World.start().then(async (world) => {
    await world.run((_, title) => {
      process.title = title;
    }, HOSTILE);
    await until('it is called so', () => readFileSync(`/proc/${world.pid}/comm`, 'utf8') === `${HOSTILE}\n`);
    return world;
  });

for (const backend of BACKENDS) {
  needs(...backend.needs).describe(`fdmap [${backend.name}]`, () => {
    const run = (...args: string[]) => fdmap([...args, '--backend', backend.name]);
    const rows = (...args: string[]): Row[] => JSON.parse(run('--json', ...args).stdout);

    test('a row for each process, most descriptors first, with limit and use', async () => {
      const many = await sleeper('5</dev/null 6</dev/null 7</dev/null');
      const few = await sleeper('<&- >&- 2>&-');
      const all = rows();
      const row = all.find(({ pid }) => pid === many.pid)!;
      const fds = listedDescriptors(many.pid).length;
      expect(row).toMatchObject({ fds, command: 'sleep' });
      expect(row.fdUse).toBeCloseTo(fds / row.fdLimit!, 12);
      const limit = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${many.pid}/limits`, 'utf8'))![1];
      expect(row.fdLimit).toBe(Number(limit));
      expect(all.find(({ pid }) => pid === few.pid)!.fds).toBe(0);
      const counts = all.map((each) => each.fds ?? -1);
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
      expect(new Set(all.map(({ pid }) => pid)).size).toBe(all.length);
    });

    test('as text: headings, and the same values', async () => {
      const { pid } = await sleeper('5</dev/null');
      const lines = run().stdout.split('\n');
      const kinds = ['FILES', 'SOCKETS', 'PIPES', 'OTHER'];
      expect(lines[0]!.trim().split(/ +/)).toEqual([
        'PID',
        'USER',
        'FDS',
        'LIMIT',
        'USE%',
        ...kinds,
        'COMMAND',
      ]);
      const { user, fds, fdLimit, fdUse, files, sockets, pipes } = rows().find((row) => row.pid === pid)!;
      const cells = lines
        .find((line) => line.trim().startsWith(`${pid} `))!
        .trim()
        .split(/ +/);
      expect(files).toBeGreaterThanOrEqual(2);
      expect(files + sockets + pipes).toBe(fds);
      const counts = [`${files}`, `${sockets}`, `${pipes}`, '0'];
      expect(cells).toEqual([
        `${pid}`,
        user,
        `${fds}`,
        `${fdLimit}`,
        (100 * fdUse).toFixed(1),
        ...counts,
        'sleep',
      ]);
      expect(run('--no-header').stdout).not.toContain('COMMAND');
    });

    test('-o asks for other columns, --no-kthreads leaves processes in', async () => {
      const { pid } = await sleeper();
      const row = rows('-o', 'pid,ppid,state,kernelThread', '--no-kthreads').find((each) => each.pid === pid);
      expect(row).toEqual({ pid, ppid: process.pid, state: 'S', kernelThread: false });
    });

    needs('root', 'other-uid').test('a user of /etc/passwd by name, another by number', async () => {
      const named = await sleeper('', { uid: 65_534, gid: 65_534 });
      const unnamed = await sleeper('', { uid: 54_321, gid: 54_321 });
      const all = rows();
      const entry = /^(\w+):[^:]*:65534:/m.exec(readFileSync('/etc/passwd', 'utf8'));
      expect(all.find(({ pid }) => pid === named.pid)!.user).toBe(entry?.[1] ?? '65534');
      expect(all.find(({ pid }) => pid === unnamed.pid)!.user).toBe('54321');
    });

    test('a hostile name: raw in a pipe, escaped in JSON', async () => {
      const { pid } = await hostile();
      const { stdout } = run('-o', 'pid,command');
      expect(stdout).toContain(`${pid}  ${HOSTILE}\n`);
      const json = run('--json', '-o', 'pid,command').stdout;
      expect(JSON.parse(json)).toContainEqual({ pid, command: HOSTILE });
      expect(json).not.toContain('\x1b');
    });
  });
}

needs('script').describe('on a terminal', () => {
  test('a hostile name is shown, not obeyed', async () => {
    const { pid } = await hostile();
    const shown = onTerminal(['-o', 'pid,command'], 80);
    expect(shown).toContain(`${pid}  ${SHOWN}\n`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is what is tested
    expect(shown).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });

  test('no line is longer than it is wide; in a pipe none is cut', async () => {
    const { pid } = await sleeper();
    const lines = onTerminal(['-o', 'pid,user,fds,fdLimit,fdUse,command'], 30).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(30);
    expect(lines.some((line) => line.trim().startsWith(`${pid} `))).toBe(true);
    expect(fdmap([]).stdout).toMatch(new RegExp(`^ *${pid} .* sleep$`, 'm'));
  });
});

describe('fdmap as an ordinary user', () => {
  needs('root', 'other-uid', 'proc').test(
    'every process, and what is not known of one is no member',
    async () => {
      const { pid } = await sleeper('5</dev/null');
      const { status, stdout, stderr } = fdmap(['--json'], { uid: 65_534, gid: 65_534 });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const row = (JSON.parse(stdout) as Row[]).find((each) => each.pid === pid);
      expect(row).toMatchObject({ pid, command: 'sleep' });
      for (const value of Object.values(row!)) expect(value).not.toBe(null);
    },
  );

  needs('mount-ns').test('with an empty /etc/passwd, users are numbers', () => {
    const wrap = ['unshare', '-m', 'sh', '-c', 'mount --bind /dev/null /etc/passwd && exec "$@"', 'sh'];
    const own = (JSON.parse(fdmap(['--json'], { wrap }).stdout) as Row[]).find(
      ({ command }) => command === 'node',
    );
    expect(own?.user).toMatch(/^\d+$/);
  });
});
