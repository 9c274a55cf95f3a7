// What a program pays before its first answer: whole processes, over one that does nothing.

import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { duration, median, table } from './harness.mjs';

const INDEX = pathToFileURL(join(import.meta.dirname, '../dist/index.js'));
const MAIN = join(import.meta.dirname, '../dist/cli/main.js');
const ROUNDS = 25;

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  const target = spawn('sleep', ['infinity'], { stdio: 'ignore' });
  await new Promise((resolve) => target.once('spawn', resolve));
  // until its libraries, too, are open and closed
  await new Promise((resolve) => setTimeout(resolve, 50));
  const count = readdirSync(`/proc/${target.pid}/fd`).length;
  const program = (/** @type {string} */ name, /** @type {string} */ text) => {
    const path = join(rivals.folder, `${name}.mjs`);
    writeFileSync(path, text);
    return [path];
  };
  const using = (/** @type {string} */ what) => `import { ${what} } from '${INDEX}';\n`;
  const check = (/** @type {string} */ condition) => `if (!(${condition})) process.exit(1);\n`;
  /** @type {[string, string[]][]} */
  const contestants = [
    ['node -e 0', ['-e', '0']],
    ['an empty module', program('empty', '')],
    ["import 'fdmap'", program('import', using('fdmap'))],
    ["import 'fdmap', fdmap()", program('self', using('fdmap') + check('fdmap().length >= 3'))],
    [
      "import 'fdmap', fdmap(pid)",
      program('pid', using('fdmap') + check(`fdmap(${target.pid}).length === ${count}`)),
    ],
    [
      "import 'fdmap', pidmap()",
      program('pids', using('pidmap') + check(`pidmap().includes(${target.pid})`)),
    ],
    [
      "import 'fdmap', open()",
      program('open', using('open') + check(`open().fdmap(${target.pid}).length === ${count}`)),
    ],
    [
      "import 'fdmap', open({calls: ['fdmap']})",
      program(
        'open-some',
        using('open') + check(`open({ calls: ['fdmap'] }).fdmap(${target.pid}).length === ${count}`),
      ),
    ],
    ['fdmap fds PID', [MAIN, 'fds', String(target.pid)]],
    ['fdmap ls PID', [MAIN, 'ls', String(target.pid)]],
    ['fdmap ps PID', [MAIN, 'ps', String(target.pid)]],
    ['fdmap ps', [MAIN, 'ps']],
    ['fdmap', [MAIN]],
    ['readdirSync of node:fs', ['-e', `require('fs').readdirSync('/proc/${target.pid}/fd')`]],
  ];
  /** @type {Map<string, number[]>} */
  const times = new Map(contestants.map(([name]) => [name, []]));
  try {
    for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
      for (const [name, args] of contestants) {
        const start = process.hrtime.bigint();
        execFileSync(process.execPath, args, { stdio: 'ignore' });
        times.get(name)?.push(Number(process.hrtime.bigint() - start));
      }
    }
  } finally {
    target.kill();
  }
  const of = (/** @type {string} */ name) => times.get(name) ?? [];
  const more = (/** @type {number} */ ns) => `${(ns / 1e6).toFixed(1)} ms`;
  const [base = ''] = contestants.map(([name]) => name);
  const rows = contestants.map(([name]) => {
    const [middle, best] = [median(of(name)), Math.min(...of(name))];
    if (name === base) return [name, duration(middle), '', duration(best), ''];
    const over = [more(middle - median(of(base))), more(best - Math.min(...of(base)))];
    return [name, duration(middle), over[0] ?? '', duration(best), over[1] ?? ''];
  });
  return table(['process', 'median', `over ${base}`, 'best', `over ${base}`], rows);
}
