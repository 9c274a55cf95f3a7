/** Pipes that close, devices that are full, interrupts, answers longer than a pipe. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { listedDescriptors, sleeper } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { fdmap, MAIN, numbersOf, shell } from './helpers.ts';

describe('stdout', () => {
  test('a reader that has gone: a quiet end', () => {
    const { stderr } = shell('{ sleep 0.3; $FDMAP fds; echo "exit $?" >&2; } | true');
    expect(stderr).toBe('exit 0\n');
  });

  test('a device without room: one line, 3', () => {
    const { status, stderr } = shell('$FDMAP fds >/dev/full');
    expect(stderr).toMatch(/^fdmap: cannot write: ENOSPC[^\n]*\n$/);
    expect(status).toBe(3);
  });

  test('closed: one line or none, no crash', () => {
    const { stderr } = shell('$FDMAP fds >&-');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

/** One process so often that its records fill every buffer between two processes. */
const TIMES = 10_000;

describe('an answer longer than a pipe', () => {
  const often = (pid: number) => ['fds', ...Array<string>(TIMES).fill(`${pid}`)];

  test('is not cut off', async () => {
    const { pid } = await sleeper('5</dev/null');
    const expected = listedDescriptors(pid).length * TIMES;
    const { stdout } = fdmap([...often(pid), '--jsonl']);
    expect(stdout.length).toBeGreaterThan(500_000);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(expected);
    expect(JSON.parse(fdmap([...often(pid), '--json']).stdout)).toEqual(rows);
    expect(numbersOf(fdmap(often(pid)).stdout)).toEqual(rows.map(({ fd }) => fd));
  });

  test('is interrupted by SIGINT as every command is: 130 for a shell', async () => {
    const { pid } = await sleeper('5</dev/null');
    // It never reads what it is sent.
    const reader = spawn('sleep', ['1000'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const child = spawn(process.execPath, [MAIN, ...often(pid), '--jsonl'], {
      stdio: ['ignore', reader.stdin, 'inherit'],
    });
    const exit = once(child, 'exit');
    // As many bytes as fit have been written, and the rest waits.
    await until('it has written', () => writtenBy(child.pid!) > 100_000);
    child.kill('SIGINT');
    expect(await exit).toEqual([null, 'SIGINT']);
    reader.kill();
    await once(reader, 'exit');
    reader.stdin.destroy();
  });
});

const writtenBy = (pid: number) =>
  Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
