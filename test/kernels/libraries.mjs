import { realpathSync } from 'node:fs';
import { run } from './exec.mjs';

/**
 * The shared libraries that a program of this machine needs, by the names that its loader will look
 * for. The file behind each is copied to that very path, so no cache of the loader is needed.
 * @param {string} program
 * @returns {Promise<string[]>}
 */
export async function sharedLibraries(program) {
  const text = await run('ldd', [program]).catch(() => '');
  return [...text.matchAll(/(?:=>\s*)?(\/\S+)\s+\(0x/g)].map((match) => match[1]);
}

/**
 * @param {import('./cpio.mjs').Archive} archive
 * @param {string} program or a native module
 */
export async function copyLibraries(archive, program) {
  for (const library of await sharedLibraries(program))
    if (!archive.has(library)) archive.copy(realpathSync(library), library);
}

/**
 * Copies a program with everything that it needs to start.
 * @param {import('./cpio.mjs').Archive} archive
 * @param {string} program
 * @param {string} [to]
 */
export async function copyProgram(archive, program, to = program) {
  archive.copy(realpathSync(program), to);
  await copyLibraries(archive, program);
}
