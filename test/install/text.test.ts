/** The streams of text that shells read: DIR/fds and DIR/ps. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { install, uninstall } from '../../src/calls/install.ts';
import { openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { listedDescriptors, sleeper, zombie } from '../helpers/processes.ts';

const into = openDirectory();
const stranger = { uid: 61_234, gid: 61_234 };

function cat(path: string, user: { uid?: number; gid?: number } = {}): string[] {
  const { stdout, stderr, status } = spawnSync('cat', [path], {
    maxBuffer: 1 << 28,
    encoding: 'utf8',
    ...user,
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').slice(0, -1);
}

/** Rows of a process, split at blanks into as many columns as the heading has; the last has blanks of its own. */
function rowsOf(lines: readonly string[], pid: number): Record<string, string>[] {
  const names = lines[0]!.trim().split(/ +/);
  return lines
    .slice(1)
    .map((line) => line.trim().split(/ +/))
    .filter(([first]) => first === String(pid))
    .map((words) => {
      const last = words.slice(names.length - 1).join(' ');
      return Object.fromEntries(names.map((name, i) => [name, i === names.length - 1 ? last : words[i]!]));
    });
}

needs('pinned').describe('text', () => {
  const fds = () => join(process.env.FDMAP_TEST_BPFFS!, 'fds');
  const ps = () => join(process.env.FDMAP_TEST_BPFFS!, 'ps');

  it('fds has a line for each descriptor, with what readlink(2) and stat(2) say of it', async () => {
    const file = join(into, 'a file');
    writeFileSync(file, 'x');
    const { pid } = await sleeper(`5<'${file}' 7>>'${file}' 9<'${into}' 8</dev/null`);
    const rows = rowsOf(cat(fds()), pid);
    expect(rows.map(({ FD }) => Number(FD))).toEqual(listedDescriptors(pid));
    const byFd = new Map(rows.map((row) => [Number(row.FD), row]));
    const { dev, ino } = lstatSync(file);
    expect(byFd.get(5)).toEqual({
      PID: String(pid),
      TID: String(pid),
      COMMAND: 'sleep',
      FD: '5',
      TYPE: 'file',
      ACCESS: 'r',
      DEV: `${dev >> 8}:${dev & 0xff}`,
      INODE: String(ino),
      NAME: file,
    });
    expect(byFd.get(7)).toMatchObject({ ACCESS: 'w', NAME: file });
    expect(byFd.get(9)).toMatchObject({ TYPE: 'dir', NAME: into });
    expect(byFd.get(8)).toMatchObject({ TYPE: 'char', NAME: '/dev/null' });
    expect(byFd.get(1)!.TYPE).toBe('unix'); // of Node, for what its children print
    expect(byFd.get(1)!.NAME).toBe(readlinkSync(`/proc/${pid}/fd/1`));
  });

  it('sockets have their addresses, unix sockets their names', async () => {
    const servers = [
      createServer().listen(0, '127.0.0.1'),
      createServer().listen(0, '::1'),
      createServer().listen(join(into, 'sock\n et')),
    ];
    onTestFinished(() => {
      for (const server of servers) server.close();
    });
    await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
    const [four, six] = servers.map((server) => (server.address() as { port: number }).port);
    const names = rowsOf(cat(fds()), process.pid).map(({ TYPE, NAME }) => `${TYPE} ${NAME}`);
    expect(names).toContain(`tcp 127.0.0.1:${four}`);
    expect(names).toContain(`tcp [0:0:0:0:0:0:0:1]:${six}`);
    expect(names).toContain(`unix ${into}/sock\\012 et`);
  });

  it('names cannot end a line, begin a column, or speak to a terminal', async () => {
    const directory = join(into, 'hostile');
    mkdirSync(directory, { recursive: true });
    const path = join(directory, 'a\nb\x1b[2J\\ \u0085é (deleted)');
    writeFileSync(path, '');
    const child = spawn(process.execPath, [
      '-e',
      `process.title = 'x y\\n'; require('fs').openSync(process.argv[1]); console.log('ready'); setInterval(() => {}, 1e6)`,
      path,
    ]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const rows = rowsOf(cat(fds()), child.pid!);
    // Of a C1 character, which is two bytes, the second one is escaped: what is left is no UTF-8.
    expect(rows.map(({ NAME }) => NAME)).toContain(
      `${directory}/a\\012b\\033[2J\\134 \ufffd\\205é (deleted)`,
    );
    expect(new Set(rows.map(({ COMMAND }) => COMMAND))).toEqual(new Set(['x\\040y\\012']));
    expect(rowsOf(cat(ps()), child.pid!)).toMatchObject([{ COMMAND: 'x y\\012' }]);
  });

  it('ps has a line for each process, with what /proc says of it', async () => {
    const { pid } = await sleeper('5</dev/null');
    const [row] = rowsOf(cat(ps()), pid);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
    const ticks = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19];
    const limit = /^Max open files +(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))![1];
    expect(row).toMatchObject({
      PID: String(pid),
      PPID: field('PPid'),
      UID: /^Uid:\s+\d+\s+(\d+)/m.exec(status)![1],
      STATE: field('State'),
      THREADS: field('Threads'),
      FDS: String(listedDescriptors(pid).length),
      FDLIMIT: limit,
      STARTTIME: String(Number(ticks) * 10),
      COMMAND: 'sleep',
    });
    expect(Math.abs(Number(row!.RSS) / 1024 - Number(field('VmRSS')))).toBeLessThan(512);
    const dead = await zombie();
    expect(rowsOf(cat(ps()), dead.pid)).toMatchObject([{ STATE: 'Z', FDS: '0', RSS: '0' }]);
  });

  needs('root', 'other-uid').test(
    'an ordinary user reads his own, and nothing of others but that they are there',
    async () => {
      const own = await sleeper('5</dev/null', stranger);
      const foreign = await sleeper('5</dev/null');
      const lines = cat(fds(), stranger);
      expect(rowsOf(lines, own.pid).map(({ FD }) => Number(FD))).toEqual(listedDescriptors(own.pid));
      expect(rowsOf(lines, foreign.pid)).toEqual([]);
      expect(rowsOf(cat(ps(), stranger), foreign.pid)).toMatchObject([{ COMMAND: 'sleep', UID: '0' }]);
    },
  );

  needs('root', 'other-uid').test(
    'a reader with more rights than the opener sees what the opener may',
    async () => {
      const { pid } = await sleeper('5</dev/null');
      // Opened as the user; root reads it.
      const script = `$> = 61234; open(F, "<", "${fds()}") or die; $> = 0; while (sysread(F, $b, 32768)) { print $b }`;
      const { stdout, stderr } = spawnSync('perl', ['-e', script], { encoding: 'utf8', maxBuffer: 1 << 28 });
      expect(stderr).toBe('');
      expect(rowsOf(stdout.split('\n'), pid)).toEqual([]);
    },
  );

  it('small reads put together what one large read gives', async () => {
    const { pid } = await sleeper('5</dev/null 6</dev/null');
    const { stdout } = spawnSync('dd', [`if=${fds()}`, 'bs=100', 'status=none'], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(rowsOf(stdout.split('\n'), pid)).toEqual(rowsOf(cat(fds()), pid));
  });
});

needs('root', 'kernel', 'other-uid').describe('install --text', () => {
  const at = join(into, 'pins');
  afterEach(async () => {
    if (existsSync(at)) await uninstall({ at });
  });

  it('is there when asked for, goes when not, and leaves nothing', async () => {
    expect(await install({ at })).toMatchObject({ text: false });
    expect(existsSync(join(at, 'fds'))).toBe(false);
    expect(await install({ at, text: true })).toMatchObject({ text: true, changed: true });
    expect(cat(join(at, 'ps')).length).toBeGreaterThan(1);
    expect(await install({ at, text: true })).toMatchObject({ changed: false });
    expect(await install({ at })).toMatchObject({ text: false, changed: true });
    expect(existsSync(join(at, 'fds'))).toBe(false);
    expect((await uninstall({ at })).unmounted).toBe(true);
    expect(existsSync(at)).toBe(false);
  });

  it('follows hidepid', async () => {
    await install({ at, text: true, hidepid: 2 });
    const own = await sleeper('', stranger);
    const foreign = await sleeper();
    const lines = cat(join(at, 'ps'), stranger);
    expect(rowsOf(lines, own.pid).length).toBe(1);
    expect(rowsOf(lines, foreign.pid)).toEqual([]);
    expect(rowsOf(cat(join(at, 'ps')), foreign.pid).length).toBe(1);
  });
});
