import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, Unavailable } from './exec.mjs';
import { cacheDir, root } from './paths.mjs';

/**
 * The sources and the suite as JavaScript, in a tree like the project's. An emulated machine takes ten
 * seconds a test file to do this; here all of them take less than one. The project's own compiler does
 * it, and nothing but types is removed: it is the same suite.
 * @returns {Promise<string>} the folder
 */
export async function transpile() {
  const compiler = join(root, 'node_modules/.bin/tsc');
  if (!existsSync(compiler)) throw new Unavailable('the compiler is not installed; run npm ci first');
  const outDir = cacheDir('javascript');
  // Only what is there now: a test that was removed must not run.
  rmSync(outDir, { recursive: true });
  const config = join(cacheDir(), 'tsconfig.json');
  const settings = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      rootDir: root,
      outDir,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['src', 'test', 'vitest.config.ts'].map((name) => join(root, name)),
  };
  writeFileSync(config, JSON.stringify(settings));
  await run(compiler, ['-p', config]);
  return outDir;
}
