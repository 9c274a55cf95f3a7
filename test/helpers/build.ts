/** Once before all files: dist/ as the sources are, for child processes that import the package. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

function times(directory: string, suffix: string): number[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => statSync(join(root, directory, name)).mtimeMs);
}

function isStale(): boolean {
  if (!existsSync(join(root, 'dist/index.js'))) return true;
  return Math.max(...times('src', '.ts')) > statSync(join(root, 'dist/index.js')).mtimeMs;
}

export default function build(): void {
  if (!isStale()) return;
  try {
    execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, encoding: 'utf8' });
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    throw new Error(`dist/ is older than src/ and cannot be built here: npm run build\n${stdout ?? error}`);
  }
}
