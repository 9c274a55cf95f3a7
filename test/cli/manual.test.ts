/** The manual pages: fdmap(1) says what the command does, and roff has nothing to say against any. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { needs } from '../helpers/needs.ts';
import { manual } from './manual.ts';

const man = fileURLToPath(new URL('../../man/', import.meta.url));

test('man/fdmap.1 is of the command as it is (FDMAP_WRITE_DOCS=1 writes it)', async () => {
  const file = `${man}fdmap.1`;
  if (process.env.FDMAP_WRITE_DOCS) writeFileSync(file, await manual('2026-11-23'));
  const page = readFileSync(file, 'utf8');
  const date = /^\.TH fdmap 1 (\S+)/m.exec(page)?.[1];
  expect(page).toBe(await manual(date ?? ''));
});

needs('man').test.each(readdirSync(man))('man --warnings says nothing about %s', (page) => {
  const { status, stderr, stdout } = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', `${man}${page}`], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const heading of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'SEE ALSO']) expect(stdout).toContain(heading);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

needs('mandoc').test.each(readdirSync(man))('mandoc -Tlint says nothing about %s', (page) => {
  const { status, stdout, stderr } = spawnSync('mandoc', ['-Tlint', '-Wwarning', `${man}${page}`], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
