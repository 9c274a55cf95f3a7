// readFiles against node:fs: /proc/PID/stat of many processes.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { duration, medians, race, table, times } from './harness.mjs';

const NODE = join(import.meta.dirname, 'contestants/readfiles.mjs');

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  const count = quick ? 20 : 1000;
  const sleepers = Array.from({ length: count }, () => spawn('sleep', ['infinity'], { stdio: 'ignore' }));
  await Promise.all(sleepers.map((child) => new Promise((resolve) => child.once('spawn', resolve))));
  const pids = sleepers.map(({ pid }) => String(pid));
  const js = (/** @type {string} */ name, /** @type {string} */ what) => ({
    name,
    command: [process.execPath, NODE, what, ...pids],
  });
  const program = rivals.compile('readfiles');
  try {
    const timed = await race(
      [
        ...(program ? [{ name: 'open, read, read, close in C', command: [program, ...pids] }] : []),
        js('fs.readFileSync', 'readFileSync'),
        js('fs/promises, all at once', 'promises'),
        js('readFilesSync', 'readFilesSync'),
        js('readFiles', 'readFiles'),
        js('readfileatInto, and a string of it', 'into'),
      ],
      (answer) => (answer.join(' ') === pids.join(' ') ? undefined : 'not what the files say'),
      quick,
    );
    const results = medians(timed);
    const factor = (/** @type {string} */ rival, /** @type {number} */ ns) =>
      times((results.get(rival) ?? Number.NaN) / ns);
    const rows = [...results].map(([name, ns]) => [
      name,
      duration(ns),
      factor('fs.readFileSync', ns),
      factor('fs/promises, all at once', ns),
    ]);
    return table([`/proc/PID/stat of ${count}`, 'time', 'against readFileSync', 'against fs/promises'], rows);
  } finally {
    await Promise.all(
      sleepers.map((child) => new Promise((resolve) => child.once('exit', resolve) && child.kill())),
    );
  }
}
