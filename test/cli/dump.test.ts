import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { BACKENDS, expectComplaint, fdmap, MAIN, shell } from './helpers.ts';

const directory = mkdtempSync(join(tmpdir(), 'fdmap-dump-'));
afterAll(() => rmSync(directory, { recursive: true }));

for (const backend of BACKENDS) {
  needs(...backend.needs).test(`dump, and every listing of it [${backend.name}]`, async () => {
    const { pid } = await sleeper('5</dev/null 6>&5');
    const file = join(directory, backend.name);
    const at = ['--backend', backend.name];
    expect(fdmap(['dump', `${pid}`, '--tree', '-o', file, ...at])).toMatchObject({ status: 0, stdout: '' });
    const from = (...args: string[]) => fdmap([...args, '--from', file]);
    const rows = (...args: string[]) => JSON.parse(from(...args, '--json').stdout);
    const fields = ['--columns', 'pid,fd,type,path'];
    const live = JSON.parse(fdmap(['ls', `${pid}`, '--json', ...fields, ...at]).stdout);
    expect(rows('ls', ...fields)).toEqual(live);
    expect(rows(`${pid}`, ...fields)).toEqual(live);
    expect(rows('who', '/dev/null', '--columns', 'fd').map(({ fd }: { fd: number }) => fd)).toContain(6);
    expect(rows('fds').map(({ fd }: { fd: number }) => fd)).toEqual(live.map(({ fd }: { fd: number }) => fd));
    expect(from('fds', `${pid}`).stdout).toBe(live.map(({ fd }: { fd: number }) => `${fd}\n`).join(''));
    expect(from('pids').stdout).toBe(`${pid}\n`);
    expect(rows('ps')).toMatchObject([{ pid, command: 'sleep' }]);
    expect(rows()).toMatchObject([{ pid, fds: live.length, command: 'sleep' }]);
    expect(from('ls', '2147483647').status).toBe(1);
    const piped = shell(`$FDMAP dump ${pid} ${at.join(' ')} | $FDMAP pids --from -`);
    expect(piped).toMatchObject({ status: 0, stdout: `${pid}\n` });
    const cut = join(directory, 'cut');
    writeFileSync(cut, readFileSync(file).subarray(0, -50));
    const partial = fdmap(['ls', '--from', cut, '--json', ...fields]);
    expect(partial.status).toBe(3);
    expect(partial.stderr).toMatch(/cut off.* at byte \d+/);
    expect(JSON.parse(partial.stdout).length).toBeGreaterThan(0);
  });
}

needs('kernel').test(
  'diff of two images, and of a process every so often, until it is interrupted',
  async () => {
    const script = 'exec 5</dev/null; read line; exec 6</etc/passwd 7</etc/passwd 5<&-; echo; read line';
    const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const pid = child.pid!;
      await until('it has opened the first', () => existsSync(`/proc/${pid}/fd/5`));
      const [before, after] = [join(directory, 'before'), join(directory, 'after')];
      fdmap(['dump', `${pid}`, '-o', before]);
      const args = ['diff', `${pid}`, '--every', '50ms', '--jsonl'];
      const watcher = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
      let seen = '';
      watcher.stdout.on('data', (text) => {
        seen += text;
      });
      // Its first look cannot be seen from outside: what is opened before it is no change.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      child.stdin.write('\n');
      await until('it has told', () => seen.includes('"opened"'));
      const ended = new Promise((resolve) => watcher.on('exit', (code, signal) => resolve([code, signal])));
      watcher.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
      fdmap(['dump', `${pid}`, '-o', after]);
      const { status, stdout } = fdmap(['diff', before, after, '--json']);
      expect(status).toBe(0);
      const rows = JSON.parse(stdout);
      expect(rows).toContainEqual(
        expect.objectContaining({ change: 'opened', count: 2, pid, what: '/etc/passwd', fds: [6, 7] }),
      );
      expect(rows).toContainEqual(expect.objectContaining({ change: 'closed', what: '/dev/null', fds: [5] }));
      expect(fdmap(['diff', before, after]).stdout).toMatch(/^\+ +2 +\d+ +bash +file +6-7 +\/etc\/passwd/m);
      expect(fdmap(['diff', before, before])).toMatchObject({ status: 1, stdout: '' });
    } finally {
      child.kill('SIGKILL');
    }
  },
);

needs('kernel').test('diff of a process, many times: nothing gathers that Node would warn of', () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    const { stderr } = fdmap(['diff', `${child.pid}`, '--every', '5ms', '--count', '15']);
    expect(stderr).toBe('');
  } finally {
    child.kill('SIGKILL');
  }
});

needs('kernel').test('one who is named and not there: the others, a line, and exit code 1', async () => {
  const { pid } = await sleeper();
  const gone = /^fdmap: 2147483647: no such process \(ESRCH\)\n$/;
  const image = join(directory, 'with-gone');
  const piped = shell(`$FDMAP dump ${pid} 2147483647 > ${image}`);
  expect(piped).toMatchObject({ status: 1, stderr: expect.stringMatching(gone) });
  expect(fdmap(['pids', '--from', image])).toMatchObject({ stdout: `${pid}\n` });
  expect(fdmap(['dump', `${pid}`, '2147483647', '-o', image])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(gone),
  });
  const checked = fdmap(['dump', '--check', `${pid}`, '2147483647', '--json']);
  expect(checked).toMatchObject({ status: 1, stderr: expect.stringMatching(gone) });
  expect(JSON.parse(checked.stdout).length).toBeGreaterThan(0);
  const recorded = fdmap(['dump', '--check', '--from', image, '--json']);
  expect(recorded).toMatchObject({ status: 1, stdout: checked.stdout, stderr: checked.stderr });
});

needs('kernel').test('a reader who goes ends it quietly, a slow one has it all', async () => {
  const { pid } = await sleeper();
  expect(shell(`$FDMAP dump ${pid} | head -c 8 | wc -c`)).toMatchObject({
    status: 0,
    stdout: '8\n',
    stderr: '',
  });
  const slow = shell(`$FDMAP dump --all | (sleep 1; cat) | $FDMAP fds ${pid} --from -`);
  expect(slow.stdout).toBe(fdmap(['fds', `${pid}`]).stdout);
});

needs('kernel').test('diff of images of different targets says so', async () => {
  const { pid } = await sleeper();
  const [one, all] = [join(directory, 'one'), join(directory, 'all')];
  fdmap(['dump', `${pid}`, '-o', one]);
  fdmap(['dump', `${pid}`, `${process.pid}`, '-o', all]);
  const { status, stderr } = fdmap(['diff', one, all]);
  expect([status, stderr]).toEqual([
    0,
    expect.stringMatching(/^fdmap: the images are not of the same processes/),
  ]);
});

test('what cannot be dumped, or asked', () => {
  expectComplaint(fdmap(['dump', '--check', '1', '-o', join(directory, 'x')]), 2);
  expectComplaint(fdmap(['dump', '--check', '1', '--mappings']), 2);
  expectComplaint(fdmap(['dump', '--check']), 2);
  expectComplaint(fdmap(['dump', '--check', '1', '--from', 'x']), 2);
  expectComplaint(fdmap(['dump', '1', '--from', 'x']), 2);
  expectComplaint(fdmap(['dump']), 2);
  expectComplaint(fdmap(['dump', '1', '--all']), 2);
  expectComplaint(fdmap(['dump', '2147483647', '-o', join(directory, 'x')]), 1);
  expectComplaint(fdmap(['ls', '--from', '/nonexistent']), 3);
  expectComplaint(fdmap(['ls', '--from', '/etc/passwd']), 3);
  expectComplaint(fdmap(['diff', 'x']), 2);
  expectComplaint(fdmap(['diff', '1', '--every', 'soon']), 2);
  expectComplaint(fdmap(['cat', '/etc/passwd', '--from', 'x']), 2);
});
