// pidinfo against /proc: status and descriptor counts of every process.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, statusOf } from './contestants/status-files.mjs';
import { crowd, HEAD, npmRivals, race, rowsOf, table } from './harness.mjs';

const SCRIPT = join(import.meta.dirname, 'contestants/status.mjs');
const PROCESSES = [600, 2000];
/** For one tiny pass. */
const QUICK = [150];

/** @param {import('./harness.mjs').Rivals} _rivals @param {boolean} quick */
export async function run(_rivals, quick) {
  /** @type {string[][]} */
  const rows = [];
  for (const total of quick ? QUICK : PROCESSES) {
    const world = await crowd(total);
    try {
      /** @param {string} name @param {string} what @param {Record<string, string>} [env] */
      const contestant = (name, what, env = {}) => ({ name, command: [process.execPath, SCRIPT, what], env });
      const proc = { FDMAP_BACKEND: 'proc' };
      const status = [
        contestant('pidinfo', 'pidinfo'),
        contestant('pidinfo, proc', 'pidinfo', proc),
        contestant('node:fs, stat + status + limits', 'fs'),
      ];
      const npm = npmRivals();
      /** @param {string} name @returns {import('./harness.mjs').Contestant[]} */
      const against = (name) =>
        npm
          ? [
              contestant('pidinfo', `like-${name}`),
              contestant('pidinfo, with args', `like-${name}, args`),
              { ...contestant(name, name), slow: true },
            ]
          : [];
      const fds = [
        contestant('pidinfo', 'fds'),
        contestant('pidinfo, proc', 'fds', proc),
        contestant('node:fs, stat of fd/', 'fs-fds'),
      ];
      // Only of our own processes is it known that every contestant must find them, and with what.
      /** @param {(pid: number) => number} wanted */
      const complete = (wanted) => (/** @type {number[]} */ answer) => {
        const found = new Map();
        for (let i = 0; i < answer.length; i += 2) found.set(answer[i], answer[i + 1]);
        const wrong = world.pids.filter((pid) => found.get(pid) !== wanted(pid));
        return wrong.length ? `${wrong.length} of ${world.pids.length} processes are wrong` : undefined;
      };
      for (const [what, contestants, wanted] of /** @type {const} */ ([
        [`eight fields of ${world.count} processes`, status, (pid) => digestOf(statusOf(pid))],
        [`six fields of ${world.count} processes`, against('ps-list'), () => process.pid],
        [`twelve fields of ${world.count} processes`, against('systeminformation'), () => process.pid],
        [`descriptor counts of ${world.count} processes`, fds, (pid) => statSync(`/proc/${pid}/fd`).size],
      ])) {
        rows.push(...rowsOf(what, await race(contestants, complete(wanted), quick)));
      }
    } finally {
      await world.end();
    }
  }
  return table(['what', ...HEAD], rows);
}
