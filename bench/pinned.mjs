// The pinned calls: against programs of one's own, and from C against readdir.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, open, uninstall } from '../dist/index.js';
import { duration, HEAD, median, race, rowsOf, table } from './harness.mjs';

const NODE = join(import.meta.dirname, 'contestants/node.mjs');
/** No more than fit into one call of the small program, and beyond. */
const COUNTS = [8, 1000];

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  if (process.geteuid?.() !== 0) return 'not run: installing the calls needs root';
  const parent = mkdtempSync(join(tmpdir(), 'fdmap-bench-pins-'));
  chmodSync(parent, 0o755);
  const at = join(parent, 'fdmap');
  await install({ at });
  try {
    /** @type {string[][]} */
    const rows = [];
    const node = (/** @type {string} */ what) => [process.execPath, NODE, what, String(process.pid), '0'];
    for (const what of ['fdmapInto', 'pidmapInto']) {
      const env = { FDMAP_BPFFS: at };
      /** @type {import('./harness.mjs').Contestant[]} */
      const contestants = ['pinned', 'kernel'].map((backend) => ({
        name: `${what}, ${backend}`,
        command: node(what),
        env: { ...env, FDMAP_BACKEND: backend },
      }));
      const wrong = (/** @type {number[]} */ answer) => (answer.length ? undefined : 'answered nothing');
      rows.push(...rowsOf(what, await race(contestants, wrong, quick)));
    }
    const readdir = rivals.compile('readdir');
    const header = rivals.compile('header');
    if (readdir && header) {
      for (const count of COUNTS) {
        const own = [
          { name: 'fdmap(), C header', command: [header, 'self', String(count)], env: { FDMAP_BPFFS: at } },
          { name: 'readdir, C', command: [readdir, 'fds', 'self', String(count)] },
        ];
        const wrong = (/** @type {number[]} */ answer) =>
          answer.length === count ? undefined : `${answer.length} descriptors instead of ${count}`;
        rows.push(...rowsOf(`own ${count} descriptors`, await race(own, wrong, quick)));
      }
    }
    const opening = opened(at, quick ? 3 : 300);
    return `${table(['pinned calls', ...HEAD], rows)}\n\nopen({ backend: 'pinned' }): ${opening}`;
  } finally {
    await uninstall({ at });
    rmSync(parent, { recursive: true });
  }
}

/** @param {string} at @param {number} count */
function opened(at, count) {
  const before = process.env.FDMAP_BPFFS;
  process.env.FDMAP_BPFFS = at;
  const times = Array.from({ length: count }, () => {
    const start = process.hrtime.bigint();
    const handle = open({ backend: 'pinned' });
    const time = Number(process.hrtime.bigint() - start);
    handle.close();
    return time;
  });
  process.env.FDMAP_BPFFS = before ?? '';
  return `median ${duration(median(times))}, best ${duration(Math.min(...times))}`;
}
