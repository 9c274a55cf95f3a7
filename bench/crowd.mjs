// Processes of our own with many descriptors: rivals/crowd.c.

import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Player } from './harness.mjs';

export const PORT = 45_678;

/**
 * `processes` with `descriptors` each, the first of which listens on PORT and has `held` open.
 *
 * @param {import('./harness.mjs').Rivals} rivals @param {number[]} size
 */
export async function crowd(rivals, [processes = 0, descriptors = 0]) {
  const program = rivals.compile('crowd');
  if (!program) return undefined;
  const folder = join(rivals.folder, 'files');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  const player = new Player([program, String(processes), String(descriptors), folder, String(PORT)]);
  /** @type {number[]} */
  const pids = [];
  for (let line = await player.line(); line !== ''; line = await player.line()) pids.push(Number(line));
  return { pids, descriptors, held: join(folder, 'held'), end: () => player.end() };
}
