/** `fdmap install` and `fdmap uninstall`. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { fdmap } from './helpers.ts';

const parent = openDirectory();
const at = join(parent, 'fdmap');

needs('root', 'kernel').describe('as root', () => {
  test('from installing to nothing left', () => {
    const first = fdmap(['install', '--at', at, '--hidepid', '2', '--gid', '5']);
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toMatch(/^installed +\/.*\/abi1-\w+\n/);
    expect(first.stdout).toContain('hidepid=2, gid=5');
    expect(fdmap(['install', '--at', at, '--hidepid', '2', '--gid', '5']).stdout).toMatch(/^unchanged /);
    const json = JSON.parse(fdmap(['install', '--at', at, '--json']).stdout);
    expect(json).toMatchObject({ directory: at, changed: true, abi: 1, selfOnly: false });

    const env = { FDMAP_BPFFS: at };
    expect(fdmap(['fds', '--backend', 'pinned'], { env, uid: 65_534, gid: 65_534 }).status).toBe(0);
    const doctor = fdmap(['doctor'], { env, uid: 65_534, gid: 65_534 });
    expect(doctor.stdout).toMatch(/^backend +pinned$/m);
    expect(doctor.stdout).toMatch(/^installed +.*for everybody, hidepid=\d/m);

    expect(fdmap(['uninstall', '--at', at])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: `uninstalled       ${at}, unmounted\n`,
    });
    expect(existsSync(at)).toBe(false);
    const again = fdmap(['uninstall', '--at', at]);
    expect(again).toMatchObject({
      status: 3,
      stdout: '',
      stderr: `fdmap: there is no ${at}: the calls are not installed ('fdmap install')\n`,
    });
  });

  test('doctor says what the policy keeps from whom', () => {
    const advice = (as: { uid: number; gid: number }): string =>
      JSON.parse(fdmap(['doctor', '--json'], { env: { FDMAP_BPFFS: at }, ...as }).stdout).advice.join();
    try {
      expect(fdmap(['install', '--at', at, '--hidepid', '2', '--gid', '4321'])).toMatchObject({ status: 0 });
      expect(advice({ uid: 65_534, gid: 65_534 })).toMatch(/hidepid=2 .* hides .* members of group 4321/);
      expect(advice({ uid: 65_534, gid: 4321 })).not.toMatch(/hidepid/);
      expect(fdmap(['install', '--at', at, '--hidepid', '4', '--gid', '4321'])).toMatchObject({ status: 0 });
      expect(advice({ uid: 65_534, gid: 4321 })).toMatch(/hidepid=4 .* hides .* not read$/);
    } finally {
      fdmap(['uninstall', '--at', at]);
    }
  });

  test.each([
    [['--group', 'no-such-group-here'], /no group/],
    [['--hidepid', '3'], /0, 1, 2 or 4/],
    [['--hidepid', 'two'], /takes a number/],
    [['somewhere'], /takes no operand/],
  ])('install %j is wrong', (args, message) => {
    const { status, stdout, stderr } = fdmap(['install', '--at', at, ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(existsSync(at)).toBe(false);
  });
});

needs('root', 'other-uid').test('as somebody else: one line, exit 3', () => {
  for (const command of ['install', 'uninstall']) {
    const { status, stdout, stderr } = fdmap([command, '--at', at], { uid: 65_534, gid: 65_534 });
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toMatch(/^fdmap: EPERM: .*\n$/);
  }
});
