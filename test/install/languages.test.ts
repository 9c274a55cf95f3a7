/** The header for C, and the examples in C and Python, on pinned calls. */

import { execFileSync, spawnSync } from 'node:child_process';
import { readlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import * as layout from '../../src/abi/layout.gen.ts';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { listedDescriptors, sleeper } from '../helpers/processes.ts';

const env = { ...process.env, FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' };
const into = openDirectory();
const example = (name: string) => fileURLToPath(new URL(`../../examples/python/${name}`, import.meta.url));
const python = example('fds.py');

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', env, maxBuffer: 1 << 28 });

needs('gcc').test('include/fdmap.h has the layout that the programs have', () => {
  const lines = run(compile('test/c/layout.c', into)).trim().split('\n');
  expect(lines.length).toBeGreaterThan(30);
  for (const line of lines) {
    const [name, value] = line.split(' ');
    expect([name, (layout as Record<string, number>)[name!]]).toEqual([name, Number(value)]);
  }
});

/** What both lsof examples print of a process that has these files; /proc says the same of them. */
async function lsofOf(command: string, ...options: string[]): Promise<void> {
  const [kept, gone] = [join(into, 'a\nname'), join(into, 'gone')];
  for (const path of [kept, gone]) writeFileSync(path, '');
  const { pid } = await sleeper(`5<'${kept}' 6>>'${gone}' 7<'${into}'`);
  unlinkSync(gone);
  const rows = run(command, ...options, String(pid))
    .trim()
    .split('\n');
  const row = (fd: string, type: string, name: string) => `sleep\t${pid}\t${fd}\t${type}\t${name}`;
  expect(rows).toContain(row('cwd', 'dir', readlinkSync(`/proc/${pid}/cwd`)));
  expect(rows).toContain(row('root', 'dir', '/'));
  expect(rows).toContain(row('exe', 'file', readlinkSync(`/proc/${pid}/exe`)));
  expect(rows).toContain(row('7r-', 'dir', into));
  expect(rows).toContain(row('6-w', 'file', `${gone} (deleted)`));
  expect(
    rows.filter((line) => /^5r-\tfile\t.*\/a(\\012|\\n)name$/.test(line.split('\t').slice(2).join('\t'))),
  ).toHaveLength(1);
  const numbers = rows.map((line) => parseInt(line.split('\t')[2]!, 10)).filter((fd) => !Number.isNaN(fd));
  expect(numbers).toEqual(listedDescriptors(pid));
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const own = run(command, ...options, String(process.pid));
  expect(own).toMatch(new RegExp(`\\t${process.pid}\\t\\d+rw\\ttcp\\t127\\.0\\.0\\.1:${port}\\n`));
}

needs('gcc', 'pinned').describe('examples/c', () => {
  it('lsof prints what /proc says', async () => {
    await lsofOf(compile('examples/c/lsof.c', into));
    // Every process, under the sanitizers.
    run(compile('examples/c/lsof.c', into, ['-fsanitize=address,undefined', '-fno-sanitize-recover']));
  });

  it('fds prints what /proc lists', async () => {
    const { pid } = await sleeper('5</dev/null 9</dev/null');
    const [line] = run(compile('examples/c/fds.c', into), String(pid)).split('\n');
    expect(line).toBe(`${pid}: ${listedDescriptors(pid).join(' ')}`);
  });

  it('fds says what was wrong', () => {
    const { status, stdout } = spawnSync(compile('examples/c/fds.c', into), ['4194303'], {
      encoding: 'utf8',
      env,
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '4194303: No such process\n' });
  });

  it('fds without arguments visits every process that there is from beginning to end', async () => {
    const { pid } = await sleeper('7</dev/null');
    const lines = run(compile('examples/c/fds.c', into)).split('\n');
    expect(lines).toContain(`${pid}: ${listedDescriptors(pid).join(' ')}`);
  });

  it('closefrom closes what is open, however high', () => {
    const closefrom = compile('examples/c/closefrom.c', into);
    const script = 'exec 5</dev/null 9</dev/null; exec "$@"';
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', closefrom, '6', 'sh', '-c', 'ls /proc/self/fd'], {
      encoding: 'utf8',
      env,
    });
    const left = stdout.trim().split('\n').map(Number);
    expect(left).toContain(5);
    expect(left).not.toContain(9);
  });

  it('errno tells where nothing is installed', () => {
    const { status, stdout } = spawnSync(compile('examples/c/fds.c', into), ['1'], {
      encoding: 'utf8',
      env: { ...env, FDMAP_BPFFS: into },
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '1: Function not implemented\n' });
  });

  it('does nothing undefined, and leaks nothing', async () => {
    const { pid } = await sleeper('3000</dev/null 1025</dev/null');
    const fds = compile('examples/c/fds.c', into, ['-fsanitize=address,undefined', '-fno-sanitize-recover']);
    expect(run(fds, String(pid))).toBe(`${pid}: ${listedDescriptors(pid).join(' ')}\n`);
    run(fds);
    const closefrom = compile('examples/c/closefrom.c', into, [
      '-fsanitize=address,undefined',
      '-fno-sanitize-recover',
    ]);
    run('sh', '-c', 'exec 5</dev/null 9</dev/null; exec "$@"', 'sh', closefrom, '3', 'true');
    run(compile('test/c/actor.c', into, ['-fsanitize=address,undefined']), 'pidmap', 'nobpf', '--', '1', '0');
  });
});

needs('gcc', 'pinned', 'valgrind').test.each([
  ['fds', String(process.pid)],
  ['lsof', String(process.pid)],
  ['closefrom', '3', 'true'],
])('valgrind finds nothing in %s', { timeout: 120_000 }, (name, ...args) => {
  const { status, stderr } = spawnSync(
    'valgrind',
    ['-q', '--error-exitcode=9', '--leak-check=full', compile(`examples/c/${name}.c`, into), ...args],
    { encoding: 'utf8', env, maxBuffer: 1 << 28 },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

needs('gcc', 'pinned').test('C++ takes the header', () => {
  const { status, stderr } = spawnSync(
    'g++',
    ['-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-Iinclude', '-x', 'c++', 'include/fdmap.h'],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  expect(stderr.replace(/.*#pragma once.*\n(.*\n){0,2}/g, '')).toBe('');
  expect(status).toBe(0);
});

needs('python3', 'pinned').describe('examples/python', () => {
  it('fds.py prints what /proc lists', async () => {
    const { pid } = await sleeper('5</dev/null 4000</dev/null');
    expect(run('python3', python, String(pid))).toBe(`${pid}: ${listedDescriptors(pid).join(' ')}\n`);
  });

  it('lsof.py prints what /proc says', async () => {
    await lsofOf('python3', example('lsof.py'));
  });

  it('fds.py without arguments visits every process', async () => {
    const { pid } = await sleeper('7</dev/null');
    expect(run('python3', python).split('\n')).toContain(`${pid}: ${listedDescriptors(pid).join(' ')}`);
  });
});
