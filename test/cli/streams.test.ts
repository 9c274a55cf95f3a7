/** Pipes that close, devices that are full, interrupts, answers longer than a pipe. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { stateOf } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';
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

/** Enough records for more than one pipe of 64 KiB. */
const COUNT = 4000;

needs('proc', 'door').describe('an answer longer than a pipe', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
    await world.run(({ place }, count) => {
      for (let fd = 64; fd < 64 + count; fd++) place(fd);
    }, COUNT);
  });

  test('is not cut off', () => {
    const { stdout } = fdmap([`${world.pid}`, '--jsonl']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(stdout.length).toBeGreaterThan(65_536);
    expect(rows.filter(({ fd }) => fd >= 64)).toHaveLength(COUNT);
    expect(JSON.parse(fdmap([`${world.pid}`, '--json']).stdout)).toEqual(rows);
    expect(numbersOf(fdmap([`${world.pid}`]).stdout)).toEqual(rows.map(({ fd }) => fd));
  });

  test('is interrupted by SIGINT as every command is: 130 for a shell', async () => {
    const child = spawn(process.execPath, [MAIN, `${world.pid}`, '--jsonl'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Nobody reads: it blocks in write(2), and has something to be interrupted in.
    await until('something is written', () => (child.stdout?.readableLength ?? 0) > 0 || undefined);
    await until('it waits', () => stateOf(child.pid!) === 'S');
    child.kill('SIGINT');
    const [code, signal] = await once(child, 'exit');
    child.stdout?.destroy();
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' });
  });
});
