import { type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { World } from '../helpers/world.ts';

const FDMAP = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fdmap-exec-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (words: readonly string[], options: { stdio?: StdioOptions; env?: NodeJS.ProcessEnv } = {}) =>
  spawnSync(process.execPath, [FDMAP, ...words], { encoding: 'utf8', ...options });

/** What a program can see of what it was given: descriptors with flags, signals, limits, environment. */
const SEEN = `
for fd in /proc/self/fd/*; do
  case $(readlink "$fd") in /proc/*|/usr/*|/bin/*|'') continue;; esac
  echo "\${fd##*/} $(readlink "$fd" | sed 's/\\[.*//')"
done
for fd in 0 1 2 5 7; do [ -e /proc/$$/fdinfo/$fd ] && grep flags /proc/$$/fdinfo/$fd; done
grep -E '^(Sig|Shd)(Pnd|Blk|Ign|Cgt)' /proc/self/status
cat /proc/self/limits
env | grep -v '^_=' | sort`;

const all = needs('door', 'proc');

all.describe('fdmap exec', () => {
  const streams: [string, () => StdioOptions][] = [
    ['pipes', () => 'pipe'],
    ['nothing', () => ['ignore', 'pipe', 'ignore']],
    ['files', () => [openSync('/etc/passwd', 'r'), 'pipe', openSync(join(folder, 'err'), 'w')]],
  ];
  test.each(streams)('is to its command what env(1) is, with %s', (_, stdio) => {
    const given = stdio();
    const ours = run(['exec', '--', 'sh', '-c', SEEN], { stdio: given });
    const theirs = spawnSync('env', ['sh', '-c', SEEN], { encoding: 'utf8', stdio: given });
    if (Array.isArray(given)) for (const fd of given) if (typeof fd === 'number') closeSync(fd);
    expect(theirs.stdout).toMatch(/Max open files/);
    expect(ours.stdout).toBe(theirs.stdout);
    expect(ours.status).toBe(0);
  });

  test('the soft limit is that of the process that started it, or what --nofile says', () => {
    const under = (...words: string[]) =>
      spawnSync('sh', ['-c', 'ulimit -Sn 300; "$@"; true', 'sh', process.execPath, FDMAP, 'exec', ...words], {
        encoding: 'utf8',
      }).stdout.trim();
    expect(under('sh', '-c', 'ulimit -Sn')).toBe('300');
    expect(under('--nofile', '123', 'sh', '-c', 'ulimit -Sn')).toBe('123');
  });

  test('same pid, same exit status, same signal', async () => {
    const child = spawn(process.execPath, [FDMAP, 'exec', 'sh', '-c', 'echo $$; kill -TERM $$'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on('close', (code, signal) => resolve([code, signal])),
    );
    expect(output).toBe(`${child.pid}\n`);
    expect([code, signal]).toEqual([null, 'SIGTERM']);
    expect(run(['exec', 'sh', '-c', 'exit 7']).status).toBe(7);
  });

  test('descriptors below N and in the list, with the flags that they had; the others are reported', () => {
    const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
    const five = openSync(join(folder, 'five'), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK);
    const seven = openSync('/etc/passwd', 'r');
    // 4 and 6 are free, and become the runtime's own in there.
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', seven, 'ignore', five, 'ignore', seven];
    const list =
      'for fd in 3 5 7; do [ -e /proc/$$/fd/$fd ] && echo $fd && grep flags /proc/$$/fdinfo/$fd; done; true';
    const kept = run(['exec', '--keep', '5', '--report', '--', 'sh', '-c', list], { stdio });
    const below = run(['exec', '--closefrom', '6', '--', 'sh', '-c', list], { stdio });
    closeSync(five);
    closeSync(seven);
    const appending = `5\nflags:\t0${(O_WRONLY | O_APPEND | O_NONBLOCK | 0o100000).toString(8)}\n`;
    expect(kept.stdout).toBe(appending);
    expect(kept.stderr.split('\n')).toEqual([
      'fdmap: closed 3 "/etc/passwd"',
      'fdmap: closed 7 "/etc/passwd"',
      '',
    ]);
    expect(below.stdout).toContain(appending);
    expect(below.stdout).toMatch(/^3\n/);
    expect(below.stdout).not.toMatch(/^7$/m);
  });

  test('nothing of the runtime goes on, whatever N is', () => {
    const { stdout } = run(['exec', '--closefrom', '1000', 'sh', '-c', 'ls -l /proc/$$/fd']);
    expect(stdout).not.toMatch(/anon_inode/);
  });

  test('the channel of a parent in Node ends, unless it is kept', async () => {
    const script =
      'echo "$NODE_CHANNEL_FD $NODE_CHANNEL_SERIALIZATION_MODE"; [ -e /proc/$$/fd/3 ] && echo open; true';
    const outputs: string[] = [];
    for (const words of [[], ['--keep', '3']]) {
      const child = spawn(process.execPath, [FDMAP, 'exec', ...words, 'sh', '-c', script], {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
        serialization: 'advanced',
      });
      let output = '';
      child.stdout?.on('data', (text) => {
        output += text;
      });
      await new Promise((resolve) => child.on('exit', resolve));
      child.stdout?.destroy();
      if (child.connected) child.disconnect();
      outputs.push(output);
    }
    expect(outputs).toEqual([' \n', '3 advanced\nopen\n']);
  });

  test('options end at the command, and -- is for who wants it', () => {
    expect(run(['exec', 'echo', '--report', '--', '-n']).stdout).toBe('--report -- -n\n');
    expect(run(['exec', '--', 'echo', '--', '1']).stdout).toBe('-- 1\n');
  });

  test('what is no UTF-8 reaches the command as it was', () => {
    const { stdout } = spawnSync(
      'sh',
      [
        '-c',
        'bytes=$(printf "\\377x"); V=$bytes "$@" exec printenv V; "$@" exec printf %s "$bytes"',
        'sh',
        process.execPath,
        FDMAP,
      ],
      { encoding: 'latin1' },
    );
    expect(stdout).toBe('\xffx\n\xffx');
  });

  test('along PATH as execvp(3): a file without rights is remembered, a script without a first line is the shell’s', () => {
    writeFileSync(join(folder, 'plain'), 'echo "$0 $1"');
    const path = join(folder, 'plain');
    const env = { ...process.env, PATH: `/nowhere:${folder}` };
    chmodSync(path, 0o644);
    const denied = run(['exec', 'plain'], { env });
    expect(denied.status).toBe(126);
    expect(denied.stderr).toBe(`fdmap: EACCES: permission denied, execve '${path}'\n`);
    chmodSync(path, 0o755);
    expect(run(['exec', 'plain', 'word'], { env }).stdout).toBe(`${path} word\n`);
    const none = run(['exec', 'nonesuch'], { env });
    expect([none.status, none.stderr]).toEqual([
      127,
      "fdmap: ENOENT: no such file or directory, execve 'nonesuch'\n",
    ]);
    expect(run(['exec', '/nowhere/at/all']).status).toBe(127);
    expect(run(['exec', folder]).status).toBe(126);
  });

  test.each([
    [[]],
    [['--closefrom', 'x', 'true']],
    [['--keep', '5,-1', 'true']],
    [['--keep', '', 'true']],
    [['--nofile', '1e3', 'true']],
    [['--frobnicate', 'true']],
    [['--keep', '200', 'true']],
    // Not open when fdmap was started, and Node's own by now.
    [['--keep', '6', 'true']],
  ])('usage: exec %j', (words) => {
    const { status, stdout, stderr } = run(['exec', ...words]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^fdmap: .+\n$/);
  });

  needs('script').test('a terminal has the modes that it had', () => {
    const within = (command: string) =>
      spawnSync('script', ['-qec', command, '/dev/null'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).stdout;
    const modes = within('stty -a');
    expect(modes).toMatch(/icanon/);
    expect(within(`${process.execPath} ${FDMAP} exec stty -a`)).toBe(modes);
  });

  test('a failure leaves everything as it was', async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, fs, outcome, place }) => {
      const { exec, inherited } = await api();
      place(40);
      const facts = () => ({
        inherited: [...inherited()],
        signals: /SigIgn.*/.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[0],
        limit: /Max open files.*/.exec(fs.readFileSync('/proc/self/limits', 'utf8'))?.[0],
      });
      const before = facts();
      const failed = [
        outcome(() => exec('/nowhere', [], { nofile: 100 })),
        outcome(() => exec('true', [], { nofile: 2 ** 50 })),
        outcome(() => exec('true', ['a\0b'])),
        outcome(() => exec('', [])),
        outcome(() => exec('true', [], { keep: [4000] })),
        outcome(() => exec('true', ['x'.repeat(1 << 20)])),
      ].map(({ code, syscall }) => [code, syscall]);
      return { failed, same: JSON.stringify(facts()) === JSON.stringify(before) };
    });
    expect(result).toEqual({
      failed: [
        ['ENOENT', 'execve'],
        ['EINVAL', 'setrlimit'],
        ['EINVAL', 'execve'],
        ['ENOENT', 'execve'],
        ['EBADF', 'exec'],
        ['E2BIG', 'execve'],
      ],
      same: true,
    });
  });
});

all.describe('fdmap cat', () => {
  test('files one behind the other, of any bytes', () => {
    writeFileSync(join(folder, 'bytes'), Buffer.from([0, 255, 10, 1]));
    const { stdout, status } = spawnSync(process.execPath, [
      FDMAP,
      'cat',
      join(folder, 'bytes'),
      '/proc/version',
      join(folder, 'bytes'),
    ]);
    expect(status).toBe(0);
    expect(stdout.subarray(0, 4)).toEqual(Buffer.from([0, 255, 10, 1]));
    expect(stdout.subarray(4, -4).toString()).toBe(run(['cat', '/proc/version']).stdout);
    expect(stdout.subarray(-4)).toEqual(Buffer.from([0, 255, 10, 1]));
  });

  test('what cannot be read is named, and the others are not left out', () => {
    const some = run(['cat', '/nowhere', '/proc/version']);
    expect(some.stdout).toMatch(/^Linux version/);
    expect([some.status, some.stderr]).toEqual([
      1,
      "fdmap: ENOENT: no such file or directory, open '/nowhere'\n",
    ]);
    expect(run(['cat', '/', '/nowhere']).status).toBe(3);
    expect(run(['cat']).status).toBe(2);
  });
});
