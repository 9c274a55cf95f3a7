import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Everything downloaded or built here lives in one folder that may be deleted at any time. */
export const cache = join(process.env.FDMAP_CACHE ?? join(root, '.cache'), 'kernels');

/**
 * @param {...string} parts
 * @returns {string} a folder of the cache, created when missing
 */
export function cacheDir(...parts) {
  const dir = join(cache, ...parts);
  mkdirSync(dir, { recursive: true });
  return dir;
}
