import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exists, run } from './exec.mjs';
import { cacheDir, root } from './paths.mjs';

/** Where the suite looks for them in the guest: FDMAP_TEST_BINARIES. */
export const guestPrograms = '/fdmap/programs';

/** @type {Record<string, string>} */
const compilers = { amd64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };

/**
 * The C programs of the suite, compiled here: a guest has no compiler. Static, so that they need
 * nothing of the guest, in containers and behind chroot either.
 * @param {string} architecture
 * @returns {Promise<string | undefined>} a folder; undefined without a compiler, and the tests that
 *   need them are then skipped with that reason
 */
export async function compilePrograms(architecture) {
  const compiler = compilers[architecture];
  if (!(await exists(compiler))) return undefined;
  const dir = cacheDir('programs', architecture);
  mkdirSync(dir, { recursive: true });
  for (const folder of ['test/c', 'examples/c']) {
    if (!existsSync(join(root, folder))) continue;
    for (const name of readdirSync(join(root, folder)).filter((file) => file.endsWith('.c'))) {
      const output = join(dir, basename(name, '.c'));
      const flags = ['-O2', '-static', '-pthread', '-Iinclude', join(folder, name), '-o', output];
      await run(compiler, flags, { cwd: root });
    }
  }
  return dir;
}
