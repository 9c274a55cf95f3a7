// fdmap of one process against /proc, and against the same bpf(2) call from C.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '../dist/index.js';
import { HEAD, Player, race, rowsOf, table } from './harness.mjs';

const NODE = join(import.meta.dirname, 'contestants/node.mjs');
const COUNTS = [8, 1000, 19_000];
/** For one tiny pass: the last is enough for the wide program. */
const QUICK = [8, 1500];

/** A process with exactly `count` descriptors. @param {number} count */
async function holder(count) {
  if (count >= 100) {
    const player = new Player([process.execPath, NODE, 'fs-fds', '0', String(count)]);
    await player.answer();
    return { pid: Number(player.child.pid), end: () => player.end() };
  }
  const anything = openSync('/dev/null', 'r');
  // What is not close-on-exec where the benchmark is started comes on top.
  for (let given = count; ; given--) {
    const child = spawn('sleep', ['infinity'], { stdio: Array(given).fill(anything) });
    await new Promise((resolve) => child.once('spawn', resolve));
    // until its libraries, too, are open and closed
    await new Promise((resolve) => setTimeout(resolve, 50));
    const end = () => new Promise((resolve) => child.once('exit', resolve) && child.kill());
    if (descriptorsOf(Number(child.pid)).length === count || given === 3) {
      closeSync(anything);
      return { pid: Number(child.pid), end };
    }
    await end();
  }
}

/** The programs that the library loads, as descriptors for a rival in C. */
export function programs() {
  const before = new Set(readdirSync('/proc/self/fd'));
  let handle;
  try {
    handle = open({ backend: 'kernel' });
  } catch {
    return { fds: [], close: () => undefined }; // the library itself is on proc then, and the header says so
  }
  const fds = readdirSync('/proc/self/fd')
    .filter((fd) => !before.has(fd))
    .filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:bpf-prog';
      } catch {
        return false; // the listing's own
      }
    })
    .map(Number);
  return { fds, close: () => handle.close() };
}

/** @param {number} pid */
const descriptorsOf = (pid) => readdirSync(`/proc/${pid}/fd`).map(Number);
/** @param {number[]} a @param {number[]} b */
const same = (a, b) => a.length === b.length && a.every((number, i) => number === b[i]);
/** @param {number[]} numbers */
const ascending = (numbers) => numbers.toSorted((a, b) => a - b);

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  const readdir = rivals.compile('readdir');
  const bpf = rivals.compile('bpf');
  const { fds, close } = programs();
  /** @type {string[][]} */
  const rows = [];
  for (const whose of ['another process', 'itself']) {
    for (const count of quick ? QUICK : COUNTS) {
      const own = whose === 'itself';
      // node holds some 25 descriptors of its own
      const held = own && count < 100 ? 32 : count;
      const target = own ? undefined : await holder(held);
      const pid = String(target?.pid ?? 0);
      const hold = own ? String(held) : '0';
      const node = (/** @type {string} */ what) => [process.execPath, NODE, what, pid, hold];
      /** @type {import('./harness.mjs').Contestant[]} */
      const contestants = [
        { name: 'fdmapInto', command: node('fdmapInto') },
        { name: 'fdmap', command: node('fdmap') },
        { name: 'fdmap, proc', command: node('fdmap'), env: { FDMAP_BACKEND: 'proc' } },
        { name: 'node:fs', command: node('fs-fds') },
      ];
      if (readdir)
        contestants.push({ name: 'readdir, C', command: [readdir, 'fds', own ? 'self' : pid, hold] });
      if (bpf && fds.length) contestants.push({ name: 'bpf(2), C', command: [bpf, pid, hold], fds });
      try {
        const found = await race(
          contestants,
          (answer, player) => {
            const wanted = ascending(descriptorsOf(target?.pid ?? Number(player.child.pid)));
            if (wanted.length !== held) return `${wanted.length} descriptors instead of ${held}`;
            return same(ascending(answer), wanted)
              ? undefined
              : `answered ${answer.length} numbers, not these ${wanted.length}`;
          },
          quick,
        );
        rows.push(...rowsOf(`${whose}, ${held}`, found));
      } finally {
        await target?.end();
      }
    }
  }
  close();
  return table(['descriptors of', ...HEAD], rows);
}
