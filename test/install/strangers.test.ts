/** What a stranger may try with programs that run for everybody. */

import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { patience, scaled } from '../helpers/scale.ts';

/** A user who runs nothing else. */
const STRANGER = 61_234;

needs('gcc', 'pinned', 'root', 'other-uid', 'tier-a').describe('strangers', () => {
  const into = openDirectory();
  const forge = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(compile('test/c/forge.c', into), args, {
      encoding: 'utf8',
      uid: STRANGER,
      gid: STRANGER,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS },
    });
    return { status, stdout, stderr };
  };

  it('forged contexts get errors or answers about themselves', { timeout: patience(300_000) }, () => {
    const { status, stdout } = forge('contexts', String(scaled(10, 2)));
    expect(stdout).toMatch(/^\d+ calls, \d+ answers\n$/);
    expect(status).toBe(0);
  });

  it('two callers on one CPU see each their own', { timeout: patience(300_000) }, () => {
    expect(forge('pair', String(scaled(20_000, 500)))).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('the constants of the programs are not theirs to read', () => {
    expect(forge('constants')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('(the same attempt as root shows that it would have found them)', () => {
    const { status } = spawnSync(compile('test/c/forge.c', into), ['constants'], {
      env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS },
    });
    expect(status).toBe(1);
  });
});
