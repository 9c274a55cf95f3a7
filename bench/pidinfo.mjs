// pidinfo against /proc: status and descriptor counts of every process.

import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HEAD, race, rowsOf, table } from './harness.mjs';

const SCRIPT = join(import.meta.dirname, 'contestants/status.mjs');
const PROCESSES = [600, 2000];
/** For one tiny pass. */
const QUICK = [150];

const count = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;

/** Processes of our own, so that the machine has `total`. @param {number} total */
async function crowd(total) {
  const missing = Math.max(total - count(), 20);
  const sleepers = Array.from({ length: missing }, () => spawn('sleep', ['infinity'], { stdio: 'ignore' }));
  await Promise.all(sleepers.map((child) => new Promise((resolve) => child.once('spawn', resolve))));
  return {
    pids: sleepers.map((child) => Number(child.pid)),
    end: () =>
      Promise.all(
        sleepers.map((child) => new Promise((resolve) => child.once('exit', resolve) && child.kill())),
      ),
  };
}

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
        [`eight fields of ${count()} processes`, status, () => process.pid],
        [`descriptor counts of ${count()} processes`, fds, (pid) => statSync(`/proc/${pid}/fd`).size],
      ])) {
        rows.push(...rowsOf(what, await race(contestants, complete(wanted), quick)));
      }
    } finally {
      await world.end();
    }
  }
  return table(['what', ...HEAD], rows);
}
