// npm run bench -- [name…] [--quick]
//
// Each contestant is a process of its own, its answer is compared before anything is
// timed, rounds are interleaved, and what is shown are medians of one run. --quick is one
// tiny pass of everything, for CI: it shows that the benchmarks work, not how fast we are.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { open } from '../dist/index.js';
import * as closefrom from './closefrom.mjs';
import * as dump from './dump.mjs';
import * as fdinfo from './fdinfo.mjs';
import * as fdmap from './fdmap.mjs';
import { Rivals, ROUNDS } from './harness.mjs';
import * as pidinfo from './pidinfo.mjs';
import * as pidmap from './pidmap.mjs';
import * as pinned from './pinned.mjs';
import * as ps from './ps.mjs';
import * as readfiles from './readfiles.mjs';
import * as startup from './startup.mjs';

/** @type {Record<string, {run(rivals: Rivals, quick: boolean): Promise<string>}>} */
const benchmarks = {
  fdmap,
  pidmap,
  fdinfo,
  pidinfo,
  ps,
  dump,
  pinned,
  closefrom,
  readfiles,
  startup,
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length) {
  console.error(`no benchmark called ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}

const rivals = new Rivals();
const handle = open();
console.log(`Linux ${release()} ${arch()}, ${cpus().length} CPUs (${cpus()[0]?.model.trim()})`);
console.log(`Node ${process.version}, backend ${handle.why}`);
console.log(`load ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}`);
const floor = rivals.compile('floor');
if (floor) {
  const [nothing, refused] = execFileSync(floor, { encoding: 'utf8' }).trim().split(' ');
  console.log(`a null system call ${nothing} ns, a bpf(2) refused at once ${refused} ns (best of 25, C)`);
}
console.log(
  values.quick ? 'one tiny pass: the figures mean nothing' : `medians of ${ROUNDS} interleaved rounds`,
);
if (!rivals.compiler) console.log('no C compiler: without the rivals in C');
handle.close();
try {
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (positionals.length && !positionals.includes(name)) continue;
    console.log(`\n## ${name}\n\n${await benchmark.run(rivals, values.quick)}`);
  }
} finally {
  rivals.remove();
}
