// `fdmap ps` as a whole process, over `node -e 0`, and ps(1), which has no runtime to start.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, uninstall } from '../dist/index.js';
import { crowd, duration, median, table } from './harness.mjs';

const MAIN = join(import.meta.dirname, '../dist/cli/main.js');
const PROCESSES = [2000, 5000];
const ROUNDS = 25;

/** @param {import('./harness.mjs').Rivals} _rivals @param {boolean} quick */
export async function run(_rivals, quick) {
  const parent = mkdtempSync(join(tmpdir(), 'fdmap-bench-pins-'));
  chmodSync(parent, 0o755);
  const at = join(parent, 'fdmap');
  const root = process.geteuid?.() === 0;
  if (root) await install({ at });
  const ps = (/** @type {string} */ backend) => ({
    name: `fdmap ps, ${backend}`,
    command: [process.execPath, MAIN, 'ps', '--backend', backend],
  });
  const contestants = [
    { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
    ...(root ? [ps('pinned'), ps('kernel')] : []),
    ps('proc'),
    { name: 'ps aux', command: ['ps', 'aux'] },
  ];
  const env = { ...process.env, FDMAP_BPFFS: at };
  const ask = (/** @type {readonly string[]} */ [program = '', ...args]) =>
    execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, env });
  /** @type {string[][]} */
  const rows = [];
  try {
    for (const total of quick ? [150] : PROCESSES) {
      const world = await crowd(total);
      try {
        /** @type {Map<string, number[]>} */
        const times = new Map();
        for (const { name, command } of contestants) {
          times.set(name, []);
          if (name === 'node -e 0') continue;
          // Of our own processes every contestant must know, and that they sleep.
          const found = new Map(
            ask(command)
              .split('\n')
              .map((line) => [pidOf(line), line]),
          );
          const missing = world.pids.filter((pid) => !/ S.* sleep/.test(found.get(pid) ?? ''));
          if (missing.length)
            throw new Error(`${name}: ${missing.length} of ${world.pids.length} are not there`);
        }
        for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
          for (const { name, command } of contestants) {
            const start = process.hrtime.bigint();
            ask(command);
            times.get(name)?.push(Number(process.hrtime.bigint() - start));
          }
        }
        rows.push(...rowsOf(`${world.count} processes`, times));
      } finally {
        await world.end();
      }
    }
  } finally {
    if (root) await uninstall({ at });
    rmSync(parent, { recursive: true });
  }
  const note = root ? '' : '\n\nwithout the kernel: loading and installing programs needs root';
  return `${table(['whole process', 'asked by', 'median', 'over node -e 0', 'best', 'over node -e 0'], rows)}${note}`;
}

/** The number in a line of ps(1), behind the user, or of ours, at its beginning. @param {string} line */
const pidOf = (line) => Number(/^\s*(?:[^\s\d]\S*\s+)?(\d+)\s/.exec(line)?.[1]);

/** @param {string} what @param {Map<string, number[]>} times */
function rowsOf(what, times) {
  const [base = []] = times.values();
  const over = (/** @type {number} */ ns) => `${(ns / 1e6).toFixed(1)} ms`;
  return [...times].map(([name, list]) => {
    const [middle, best] = [median(list), Math.min(...list)];
    return [
      what,
      name,
      duration(middle),
      list === base ? '' : over(middle - median(base)),
      duration(best),
      list === base ? '' : over(best - Math.min(...base)),
    ];
  });
}
