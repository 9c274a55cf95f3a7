/** Command lines that are wrong, and --help and --version. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { needs } from '../helpers/needs.ts';
import { expectComplaint, fdmap } from './helpers.ts';

const WRONG: readonly (readonly string[])[] = [
  ['abc'],
  ['-1'],
  ['2147483648'],
  ['18446744073709551616'],
  ['1e3'],
  ['0x10'],
  ['1.5'],
  ['3', 'abc'],
  ['fds', ''],
  ['fds', ' 3'],
  ['fds', '-1'],
  ['fds', '٣'],
  ['--frobnicate'],
  ['-q'],
  ['--json=yes'],
  ['--json', '--jsonl'],
  ['fds', '-o'],
  ['fds', '-o', 'nonsense'],
  ['fds', '-o', ''],
  ['fds', '--children', '3'],
  ['fds', '--backend'],
  ['fds', '--backend', '--json'],
  ['fds', '--backend', 'magic'],
  ['pids', '3'],
  ['pids', '--children'],
  ['pids', '--children', '-1'],
  ['pids', '--children', 'abc'],
  ['pids', '--threads', '2147483648'],
  ['pids', '--tasks', '--threads', '1'],
  ['doctor', '1'],
  ['\u001b[2J\u202e\n'],
  ['--\u001b]0;title\u0007'],
];

describe('a wrong command line', () => {
  for (const args of WRONG) {
    test(`${JSON.stringify(args)}: 2 and one line`, () => {
      const outcome = fdmap(args);
      expectComplaint(outcome, 2);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that none of them comes back is what is tested
      expect(outcome.stderr.trimEnd()).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    });
  }

  needs('root', 'other-uid', 'kernel').test(
    'is found before a backend is opened, which could not be had',
    () => {
      const nobody = { uid: 65_534, gid: 65_534 };
      expectComplaint(fdmap(['fds', '-o', 'nonsense', '--backend', 'kernel'], nobody), 2);
    },
  );

  needs('proc').test('the largest pid there is, is one', () => {
    expectComplaint(fdmap(['2147483647', '--backend', 'proc']), 1);
  });
});

describe('--help and --version', () => {
  test('of fdmap: every command with its summary', () => {
    const { status, stdout, stderr } = fdmap(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    for (const { name, summary } of COMMANDS) expect(lines).toContainEqual([name, summary]);
  });

  test('of a command: every option and column, in lines of 79', async () => {
    for (const { name, load } of COMMANDS) {
      const { command } = await load();
      const { status, stdout } = fdmap([name, '-h']);
      expect(status).toBe(0);
      for (const option of command.options) expect(stdout).toContain(`--${option.name}`);
      for (const column of command.columns) expect(stdout).toContain(`  ${column.name} `);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(80);
    }
  });

  test('the version is that of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(fdmap(['--version']).stdout).toBe(`fdmap ${version}\n`);
    expect(fdmap(['pids', '-V']).stdout).toBe(`fdmap ${version}\n`);
  });
});
