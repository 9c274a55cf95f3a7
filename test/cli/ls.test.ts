import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { BACKENDS } from '../helpers/backends.ts';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';
import { fdmap } from './helpers.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };

const directory = mkdtempSync(join(tmpdir(), 'fdmap-ls-'));
afterAll(() => rmSync(directory, { recursive: true }));

for (const backend of BACKENDS.filter(({ name }) => name === 'kernel' || name === 'proc')) {
  needs('python3', ...backend.needs).describe(`fdmap ls and who [${backend.name}]`, () => {
    const run = (...args: string[]) => fdmap([...args, '--backend', backend.name]);
    const rows = (...args: string[]) => JSON.parse(run(...args, '--json').stdout);
    const file = join(directory, `held by ${backend.name}`);

    test('a process: a row for each descriptor, with and without the name of the command', async () => {
      writeFileSync(file, 'x');
      const { pid } = await sleeper(`5<'${file}' 6>&5`);
      const found = rows('ls', `${pid}`);
      // The identities of open files are of one process alone, where root keeps no key.
      const numbers = found.map(({ fd }: { fd: number }) => fd);
      expect(rows(`${pid}`).map(({ fd }: { fd: number }) => fd)).toEqual(numbers);
      const five = found.find(({ fd }: { fd: number }) => fd === 5);
      expect(five).toMatchObject({ pid, command: 'sleep', type: 'file', access: 'r', path: file, size: 1 });
      const text = run(`${pid}`).stdout.split('\n');
      expect(text[0]?.trim().split(/ +/)).toEqual([
        'PID',
        'COMMAND',
        'USER',
        'FD',
        'TYPE',
        'ACCESS',
        'SIZE',
        'DETAIL',
      ]);
      expect(text.some((line) => / 5 +file +r +1 +/.test(line) && line.endsWith(file))).toBe(true);
      expect(rows('who', file).map(({ fd }: { fd: number }) => fd)).toEqual([5, 6]);
      expect(rows('ls', '--fd', '6', '--path', file, '-o', 'pid,fd')).toEqual([{ pid, fd: 6 }]);
      const cwd = rows('ls', `${pid}`, '--fd', 'cwd', '-o', 'fd,path');
      expect(cwd).toEqual([{ fd: 'cwd', path: process.cwd() }]);
    });

    test('who has the same eventfd: none of the others, whose inode is the same', async () => {
      const script =
        'import os, sys; a = os.eventfd(0); b = os.eventfd(0); c = os.dup(a); print(a, c, flush=True); sys.stdin.read()';
      const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
        const [a, c] = line.split(' ').map(Number);
        const found = rows('who', `${child.pid}/${a}`, '-o', 'pid,fd');
        expect(found).toEqual([a, c].map((fd) => ({ pid: child.pid, fd })));
      } finally {
        child.kill('SIGKILL');
      }
    });

    test('several of a kind in one look, and only of those who are meant', async () => {
      const [one, two] = [`${file} one`, `${file} two`];
      writeFileSync(one, '');
      writeFileSync(two, '');
      const { pid } = await sleeper(`5<'${one}' 6<'${two}' 7<'${one}'`);
      const fds = (...args: string[]) =>
        rows('who', ...args)
          .filter((row: { pid: number }) => row.pid === pid)
          .map(({ fd }: { fd: number }) => fd);
      expect(fds(one, two)).toEqual([5, 6, 7]);
      expect(fds(one, two, `${pid}/6`)).toEqual([5, 6, 7]);
      expect(fds(one, '--command', 'sleep')).toEqual([5, 7]);
      expect(run('who', one, '--command', 'nobody').status).toBe(1);
      expect(fds(two, '--user', 'root')).toEqual(process.getuid?.() === 0 ? [6] : []);
      expect(run('who', two, '--user', '54321').status).toBe(1);
    });

    test('columns that are made of more than the row', async () => {
      const script = [
        'import os, socket, sys',
        'os.dup2(os.pidfd_open(os.getpid()), 20)',
        'os.dup2(os.open("/proc/self/stat", os.O_RDONLY), 21)',
        'try:',
        '    packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0); packet.bind(("lo", 3))',
        '    os.dup2(packet.fileno(), 22)',
        'except PermissionError: pass',
        'print("ready", flush=True); sys.stdin.read()',
      ].join('\n');
      const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        await once(child.stdout, 'data');
        const pid = child.pid!;
        const names = 'fd,ppid,pgid,kernelThread,source,targetCommand,targetPids,interfaceName';
        const found = rows('ls', `${pid}`, '--fd', '20,21,22', '-o', names);
        const pgid = Number(/\) \S+ \d+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))![1]);
        const common = { ppid: process.pid, pgid, kernelThread: false };
        expect(found[0]).toMatchObject({ fd: 20, ...common, targetCommand: 'python3', targetPids: [pid] });
        expect(found[1]).toEqual({ fd: 21, ...common, source: 'proc' });
        if (process.getuid?.() === 0)
          expect(found[2]).toMatchObject({ fd: 22, ...common, interfaceName: 'lo' });
        const image = join(directory, `joined ${backend.name}`);
        expect(run('dump', `${pid}`, '-o', image).status).toBe(0);
        const recorded = rows('ls', `${pid}`, '--from', image, '--fd', '20,21', '-o', `${names},driver`);
        expect(recorded).toEqual([{ fd: 20 }, { fd: 21 }]);
      } finally {
        child.kill('SIGKILL');
      }
    });

    test('who holds a unix socket, by its path and by an abstract name', async () => {
      const path = join(directory, `socket of ${backend.name}`);
      const server = createServer().listen(path);
      await once(server, 'listening');
      try {
        const [row] = rows('who', `unix:${path}`);
        expect(row).toMatchObject({ pid: process.pid, type: 'unix', path, state: 'LISTEN' });
        expect(rows('who', path)).toEqual([expect.objectContaining({ pid: process.pid, path })]);
        expect(run('who', `unix:${path} not`).status).toBe(1);
        expect(run('who', `${process.pid}/${row.fd}`).stdout).toContain(path);
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    });

    test('by inode, by file system, and with places and mapped files', async () => {
      const held = `${file} held`;
      writeFileSync(held, 'x');
      const { pid } = await sleeper(`5<'${held}' 6</proc/self/stat`);
      const fds = (...args: string[]) =>
        rows('ls', `${pid}`, '-o', 'fd', ...args).map(({ fd }: { fd: unknown }) => fd);
      expect(fds('--inode', `${statSync(held).ino}`)).toEqual([5]);
      expect(fds('--inode', `1,${statSync(held).ino}`)).toEqual([5]);
      expect(fds('--mount', '/proc')).toEqual([6]);
      expect(run('ls', `${pid}`, '--mount', '/nonexistent')).toMatchObject({
        status: 3,
        stderr: expect.stringMatching(/^fdmap: .*ENOENT.*\n$/),
      });
      const all = fds('--all');
      expect(all).toEqual(expect.arrayContaining([5, 6, 'cwd', 'root', 'exe', 'mem']));
      expect(fds().some((fd: unknown) => typeof fd === 'string')).toBe(false);
      expect(fds('--stat')).toEqual(fds());
    });

    test('owner and driver of what is behind a descriptor', async () => {
      const { pid } = await sleeper(`5</dev/zero 6</ 7</dev/ptmx`);
      const found = rows('ls', `${pid}`, '--fd', '5,6,7', '-o', 'fd,owner,driver');
      expect(found).toEqual([
        { fd: 5, owner: 'root', driver: 'mem' },
        { fd: 6, owner: 'root' },
        { fd: 7, owner: 'root', driver: '/dev/ptmx' },
      ]);
    });

    test('who listens on a port', async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      try {
        const [row] = rows('who', `:${port}`);
        expect(row).toMatchObject({ pid: process.pid, type: 'tcp', state: 'LISTEN', local: { port } });
      } finally {
        server.close();
      }
    });

    test('nothing that matches: 1, and an empty answer', async () => {
      expect(run('who', join(directory, 'nobody has this'))).toMatchObject({
        status: 1,
        stdout: '',
        stderr: '',
      });
      expect(run('ls', '--command', 'no such name', '--json')).toMatchObject({ status: 1, stdout: '[]\n' });
    });

    test('who has what a descriptor has; the worst of the operands is the exit code', async () => {
      writeFileSync(file, 'x');
      const { pid } = await sleeper(`5<'${file}'`);
      const found = rows('who', `${pid}/5`);
      expect(found.map(({ pid, fd }: { pid: number; fd: number }) => [pid, fd])).toEqual([[pid, 5]]);
      const mixed = run('who', '2147483647/1', `${pid}/5`, '--json');
      expect([mixed.status, JSON.parse(mixed.stdout).length]).toEqual([1, 1]);
      expect(mixed.stderr).toContain('2147483647: no such process');
    });

    test('a process that is not there: 1 and one line', () => {
      const { status, stdout, stderr } = run('2147483647');
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    });
  });
}

needs('proc', 'root', 'other-uid').test('a process of root, for somebody else: 3 and one line', async () => {
  const { pid } = await sleeper();
  const { status, stdout, stderr } = fdmap([`${pid}`, '--backend', 'proc'], NOBODY);
  expect([status, stdout]).toEqual([3, '']);
  expect(stderr).toContain('not permitted');
});

test('filters that are no such things: 2', () => {
  for (const args of [
    ['--type', 'nonsense'],
    ['--port', 'http'],
    ['--fd', '-x'],
    ['--command', '/(/'],
    ['--user', 'no such user'],
  ])
    expect(fdmap(['ls', ...args]).status, args.join(' ')).toBe(2);
  expect(fdmap(['who']).status).toBe(2);
  expect(fdmap(['who', ':65536']).status).toBe(2);
});
