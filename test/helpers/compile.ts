/** C sources of the tests and examples, compiled once a file. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A directory that every user may enter; it goes at the end of the file. */
export function openDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fdmap-test-'));
  chmodSync(directory, 0o755);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** FDMAP_TEST_CC names another compiler, FDMAP_TEST_BINARIES a directory of what is compiled already. */
export function compile(source: string, into: string, flags: readonly string[] = []): string {
  const name = basename(source, '.c');
  if (process.env.FDMAP_TEST_BINARIES) return join(process.env.FDMAP_TEST_BINARIES, name);
  const output = join(into, name + flags.join('').replace(/\W/g, ''));
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  execFileSync(
    process.env.FDMAP_TEST_CC || 'gcc',
    ['-O2', '-g', ...warnings, '-pthread', '-Iinclude', ...flags, source, '-o', output],
    { cwd: root, encoding: 'utf8' },
  );
  return output;
}
