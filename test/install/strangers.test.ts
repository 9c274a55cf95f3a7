/** What a stranger may try with programs that run for everybody. */

import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { patience, scaled } from '../helpers/scale.ts';

/** How long contexts are forged: a minute where there is time for it. */
const SECONDS = Number(process.env.FDMAP_TEST_FORGE_SECONDS || scaled(10, 2));

/** What the kernel logs when it finds itself in disorder. Root may read its log, but for what a container forbids. */
function complaints(): string[] {
  const { status, stdout, stderr } = spawnSync('dmesg', { encoding: 'utf8', maxBuffer: 1 << 26 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((line) => /WARNING:|BUG:|Oops|general protection|stall|lockup/.test(line));
}

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
    const before = complaints();
    const { status, stdout } = forge('contexts', String(SECONDS));
    expect(stdout).toMatch(/^\d+ calls, \d+ answers\n$/);
    expect(status).toBe(0);
    expect(complaints()).toEqual(before);
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
