// The pinned calls: against programs of one's own, and from C against readdir.

import { chmodSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, open, uninstall } from '../dist/index.js';
import { duration, HEAD, median, race, rowsOf, table } from './harness.mjs';

const NODE = join(import.meta.dirname, 'contestants/node.mjs');
/** No more than fit into one call of the small program, and beyond. */
const COUNTS = [8, 1000];
/** Records for the access check: its part of each is small. */
const MANY = 10_000;

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
    for (const what of ['fdmapInto', 'pidmapInto', 'pidinfo', 'pidinfo-all', 'fdinfo', 'fdinfo-all']) {
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
    const check = await checked(at, node, quick);
    rows.push(...check.rows);
    const opening = opened(at, quick ? 3 : 3000);
    return [
      table(['pinned calls', ...HEAD], rows),
      `open({ backend: 'pinned' }): ${opening}`,
      `access check: ${check.each} a record, the most that it can be (difference of the two)`,
    ].join('\n\n');
  } finally {
    await uninstall({ at });
    rmSync(parent, { recursive: true });
  }
}

/**
 * What the access check costs: a caller's own descriptors are his without a look at credentials,
 * those of another process are not.
 *
 * @param {string} at @param {(what: string) => string[]} node @param {boolean} quick
 */
async function checked(at, node, quick) {
  const env = { FDMAP_BPFFS: at, FDMAP_BACKEND: 'pinned' };
  const count = quick ? 100 : MANY;
  const held = Array.from({ length: count }, () => openSync('/dev/null', 'r'));
  try {
    const contestants = [
      { name: 'own', command: [...node('fdinfo').slice(0, -2), '0', String(count)], env },
      { name: "another's, checked", command: node('fdinfo'), env },
    ];
    const found = await race(
      contestants,
      (answer) => (answer.length >= count ? undefined : `${answer.length} descriptors`),
      quick,
    );
    const [own, other] = [...found.values()];
    const each = ((other?.best ?? 0) - (own?.best ?? 0)) / count;
    return { rows: rowsOf(`fdinfo of ${count}`, found), each: duration(Math.max(each, 0)) };
  } finally {
    for (const fd of held) closeSync(fd);
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
