/**
 * Callers that AppArmor confines: the pinned calls cannot ask its policy, and so they show them
 * nobody but themselves, whatever their ids and capabilities are (docs/security.md).
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { patience } from '../helpers/scale.ts';

const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const PROFILE = 'fdmap-confined';
const USER = ['uid=1001,1001,1001', 'gid=1001,1001,1001'];
const CALLERS: [string, string[]][] = [
  ['root', []],
  ['a user', USER],
];

needs('gcc', 'pinned', 'root', 'proc', 'other-uid', 'apparmor').describe('under an AppArmor profile', () => {
  const into = openDirectory();
  const marker = `MARKER-${process.pid}-confined`;
  const bpffs = process.env.FDMAP_TEST_BPFFS ?? '';
  const env = { FDMAP_BPFFS: bpffs };
  const children: { pid: number; end(): void }[] = [];
  let actor = '';

  /** A target of the same user as the caller's, with the marker in its working directory. */
  async function target(options: string[]): Promise<void> {
    const child = spawn(actor, ['target', ...options], {
      cwd: join(into, marker),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
    children.push({ pid, end: () => child.kill('SIGKILL') });
  }

  beforeAll(async () => {
    writeFileSync('/sys/kernel/security/apparmor/.replace', readFileSync(process.env.FDMAP_TEST_APPARMOR!));
    actor = compile('test/c/actor.c', into);
    mkdirSync(join(into, marker));
    await target([]);
    await target(USER);
  });
  afterAll(() => {
    for (const child of children) child.end();
  });

  function run(args: string[]): Buffer {
    const { status, stdout, stderr } = spawnSync(actor, args, { env, maxBuffer: 1 << 28 });
    expect({ args, status, stderr: String(stderr) }).toEqual({ args, status: 0, stderr: '' });
    return stdout;
  }

  /** The answers of a JavaScript process so confined, as it prints them. */
  const ask = (options: string[], script: string) =>
    JSON.parse(
      String(
        run([
          ...['exec', ...options, '--', process.execPath, '--input-type=module', '-e'],
          `import { open } from ${JSON.stringify(dist)};
           import { readFileSync } from 'node:fs';
           const code = (call) => { try { call(); return 'readable' } catch (error) { return error.code } };
           const handle = open({ backend: 'pinned' });
           ${script}`,
        ]),
      ),
    );

  for (const [who, ids] of CALLERS) {
    const confined = [...ids, `apparmor=${PROFILE}`];
    const own = () => children[ids === USER ? 1 : 0]!.pid;

    it(`${who}: fdmap() of everybody else is refused, as the kernel refuses it`, () => {
      const pids = children.map(({ pid }) => String(pid));
      /** PID CWD SEARCH FD FDMAP, each an errno: test/c/actor.c */
      const verdicts = (options: string[]) =>
        String(run(['caller', ...options, '--', ...pids]))
          .trim()
          .split('\n')
          .map((line) => line.split(' ').map(Number))
          .map(([pid, cwd, , , fdmap]) => ({ pid, cwd, fdmap }));
      const EACCES = 13;
      expect(verdicts(ids)).toContainEqual({ pid: own(), cwd: 0, fdmap: 0 });
      expect(verdicts(confined)).toEqual(children.map(({ pid }) => ({ pid, cwd: EACCES, fdmap: EACCES })));
    });

    for (const [way, more] of [
      ['by programs', []],
      ['by streams', ['nobpf']],
    ] as const) {
      it(`${who}, ${way}: sees himself alone, and of others what is public`, {
        timeout: patience(60_000),
      }, () => {
        const script = `
          const [row] = handle.pidinfo(${own()}, { fields: ['command', 'fds', 'readBytes', 'namespaces', 'files'] }).toArray();
          console.log(JSON.stringify({
            label: readFileSync('/proc/self/attr/apparmor/current', 'latin1').trim(),
            fdmap: code(() => handle.fdmap(${own()})),
            own: handle.fdmap(process.pid).length > 3,
            listed: handle.pidmap().includes(${own()}),
            public: [row.command, row.fds > 0],
            guarded: [row.readBytes, row.namespaces, row.files].filter((value) => value !== undefined),
            fdinfo: ${way === 'by streams' ? '[process.pid]' : '[...new Set(handle.fdinfo().toArray().map(({ pid }) => pid))]'}
              .map((pid) => pid === process.pid),
            places: ${way === 'by streams' ? "'EACCES'" : `code(() => handle.fdinfo(${own()}, { places: true }).toArray())`},
          }));`;
        const answer = {
          label: 'unconfined',
          fdmap: 'readable',
          own: true,
          listed: true,
          public: ['actor', true],
        };
        expect(ask([...ids, ...more], script)).toMatchObject(answer);
        expect(ask([...confined, ...more], script)).toEqual({
          ...answer,
          label: `${PROFILE} (enforce)`,
          fdmap: 'EACCES',
          guarded: [],
          fdinfo: [true],
          places: 'EACCES',
        });
      });
    }

    it(`${who}: no stream holds a byte of what others have`, { timeout: patience(60_000) }, () => {
      const version = realpathSync(join(bpffs, 'current'));
      const streams = readdirSync(version).filter((name) => /^(.*_stream|fds|ps)$/.test(name));
      const having = (options: string[]) =>
        streams.filter((name) =>
          run(['exec', ...options, '--', 'cat', join(version, name)]).includes(marker),
        );
      expect(having(ids)).toEqual(expect.arrayContaining(['fdinfo_places_stream']));
      expect(having(confined)).toEqual([]);
    });
  }
});
