/** The header for C, and the examples in C and Python, on pinned calls. */

import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as layout from '../../src/abi/layout.gen.ts';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { listedDescriptors, sleeper } from '../helpers/processes.ts';

const env = { ...process.env, FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS ?? '' };
const into = openDirectory();
const python = fileURLToPath(new URL('../../examples/python/fds.py', import.meta.url));

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', env });

needs('gcc').test('include/fdmap.h has the layout that the programs have', () => {
  const lines = run(compile('test/c/layout.c', into)).trim().split('\n');
  expect(lines.length).toBeGreaterThan(30);
  for (const line of lines) {
    const [name, value] = line.split(' ');
    expect([name, (layout as Record<string, number>)[name!]]).toEqual([name, Number(value)]);
  }
});

needs('gcc', 'pinned').describe('examples/c', () => {
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
    run(compile('test/c/actor.c', into, ['-fsanitize=address,undefined']), 'pidmap', 'nobpf', '--', '1', '0');
  });
});

needs('gcc', 'pinned', 'valgrind').test('valgrind finds nothing in the header', { timeout: 120_000 }, () => {
  const { status, stderr } = spawnSync(
    'valgrind',
    ['-q', '--error-exitcode=9', '--leak-check=full', compile('examples/c/fds.c', into), String(process.pid)],
    { encoding: 'utf8', env },
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

  it('fds.py without arguments visits every process', async () => {
    const { pid } = await sleeper('7</dev/null');
    expect(run('python3', python).split('\n')).toContain(`${pid}: ${listedDescriptors(pid).join(' ')}`);
  });
});
