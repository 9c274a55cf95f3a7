// pidmap against /proc: every task of the machine, and the children of one process.

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HEAD, Player, race, rowsOf, table } from './harness.mjs';

const NODE = join(import.meta.dirname, 'contestants/node.mjs');
const TASKS = [250, 2000];
/** For one tiny pass. */
const QUICK = [250];

const tasksOf = (/** @type {string | number} */ pid) => {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // gone meanwhile
  }
};
const everyTask = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(tasksOf);

/**
 * Tasks of our own, so that the machine has `total`: in processes of four threads, or
 * without a C compiler in processes of one.
 *
 * @param {import('./harness.mjs').Rivals} rivals @param {number} total
 */
async function crowd(rivals, total) {
  const missing = Math.max(total - everyTask().length, 20);
  const program = rivals.compile('tasks');
  if (program) {
    const player = new Player([program, String(missing)]);
    const pids = (await player.line()).trim().split(' ').map(Number);
    return { parent: Number(player.child.pid), pids, end: () => player.end() };
  }
  const sleepers = Array.from({ length: missing }, () => spawn('sleep', ['infinity'], { stdio: 'ignore' }));
  await Promise.all(sleepers.map((child) => new Promise((resolve) => child.once('spawn', resolve))));
  return {
    parent: process.pid,
    pids: sleepers.map((child) => Number(child.pid)),
    end: () =>
      Promise.all(
        sleepers.map((child) => new Promise((resolve) => child.once('exit', resolve) && child.kill())),
      ),
  };
}

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  const readdir = rivals.compile('readdir');
  /** @type {string[][]} */
  const rows = [];
  for (const total of quick ? QUICK : TASKS) {
    const world = await crowd(rivals, total);
    const tasks = world.pids.flatMap(tasksOf);
    const proc = { FDMAP_BACKEND: 'proc' };
    try {
      /** @param {string} what @param {boolean} [children] */
      const node = (what, children) => [
        process.execPath,
        NODE,
        what,
        String(children ? world.parent : 0),
        '0',
      ];
      /** @type {import('./harness.mjs').Contestant[]} */
      const all = [
        { name: 'pidmapInto', command: node('pidmapInto') },
        { name: 'pidmap', command: node('pidmap') },
        { name: 'pidmap, proc', command: node('pidmap'), env: proc },
        { name: 'node:fs', command: node('fs-tasks') },
      ];
      /** @type {import('./harness.mjs').Contestant[]} */
      const children = [
        { name: 'pidmap', command: node('children', true) },
        { name: 'pidmap, proc', command: node('children', true), env: proc },
        { name: 'node:fs, task/*/children', command: node('fs-children', true) },
      ];
      if (readdir) {
        all.push({ name: 'readdir, C', command: [readdir, 'tasks'] });
        const command = [readdir, 'children', String(world.parent)];
        children.push({ name: 'task/*/children, C', command });
      }
      // Only of our own tasks is it known that every contestant must find them.
      /** @param {number[]} wanted */
      const complete = (wanted) => (/** @type {number[]} */ answer) => {
        const found = new Set(answer);
        const lost = wanted.filter((tid) => !found.has(tid));
        return lost.length ? `${lost.length} of ${wanted.length} tasks are missing` : undefined;
      };
      const count = everyTask().length;
      for (const [what, contestants, wanted] of /** @type {const} */ ([
        [`every task, ${count}`, all, tasks],
        [`${world.pids.length} children, of ${count} tasks`, children, world.pids],
      ])) {
        rows.push(...rowsOf(what, await race(contestants, complete(wanted), quick)));
      }
    } finally {
      await world.end();
    }
  }
  return table(['numbers of', ...HEAD], rows);
}
