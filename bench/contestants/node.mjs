// A contestant in JavaScript: node bench/contestants/node.mjs WHAT PID COUNT
//
// WHAT is a way to ask (below); PID the target, 0 for this process; COUNT how many
// descriptors this process is to hold, 0 for as many as it has.

import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fdinfo, fdmap, fdmapInto, pidinfo, pidmap, pidmapInto } from '../../dist/index.js';

const [what = '', pidText = '0', count = '0'] = process.argv.slice(2);
const pid = Number(pidText);
const room = new Int32Array(1 << 20);
const directory = `/proc/${pid || 'self'}/fd`;
const children = `/proc/${pid}/task/${pid}/children`;
const isNumber = /** @param {string} name */ (name) => name >= '0' && name <= ':';

/** node:fs as one writes it, without numbers made of the names: that is the rival's advantage. */
const tasksByFs = () => {
  const all = [];
  for (const name of readdirSync('/proc')) {
    if (!isNumber(name)) continue;
    try {
      for (const task of readdirSync(`/proc/${name}/task`)) all.push(task);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    }
  }
  return all;
};

/** @type {Record<string, () => ArrayLike<number | string>>} */
const ways = {
  fdmapInto: () => room.subarray(0, fdmapInto(room, pid)),
  fdmap: () => fdmap(pid),
  'fs-fds': () => readdirSync(directory),
  pidmap: () => pidmap({ mode: 'tasks' }),
  pidmapInto: () => room.subarray(0, pidmapInto(room, { mode: 'tasks' })),
  'fs-tasks': tasksByFs,
  pidinfo: () =>
    pidinfo(pid)
      .toArray()
      .map(({ rss = 0 }) => Number(rss > 0)),
  'pidinfo-all': () =>
    pidinfo()
      .toArray()
      .map((row) => row.pid),
  fdinfo: () =>
    fdinfo(pid || process.pid)
      .toArray()
      .map((row) => Number(row.fd)),
  'fdinfo-all': () =>
    fdinfo()
      .toArray()
      .map((row) => Number(row.fd)),
  children: () => pidmap({ mode: 'children', pid }),
  'fs-children': () => readFileSync(children, 'latin1').split(' ').filter(Boolean),
};
/** What is timed; a view of the answer is not part of the question. @type {Record<string, () => unknown>} */
const timed = {
  ...ways,
  fdmapInto: () => fdmapInto(room, pid),
  pidmapInto: () => pidmapInto(room, { mode: 'tasks' }),
};
const way = ways[what];
const question = timed[what];
if (!way || !question) throw new Error(`no way called ${what}`);

/** Called when the streams have the descriptors that they need. */
function hold() {
  /** @type {number[]} */
  const opened = [];
  const missing = () => Number(count) - (readdirSync('/proc/self/fd').length - 1);
  for (let i = missing(); i > 0; i--) opened.push(openSync('/dev/null', 'r'));
  // A first question of this size may load a program, whose descriptors count too.
  way?.();
  if (Number(count)) for (let i = missing(); i < 0; i++) closeSync(opened.pop() ?? -1);
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'answer') {
    hold();
    let numbers = Array.from(way(), Number);
    if (what === 'fs-fds' && pid === 0) {
      // The listing's own descriptor was among them; its number is the lowest that is free now.
      const own = openSync('/dev/null', 'r');
      closeSync(own);
      numbers = numbers.filter((fd) => fd !== own);
    }
    process.stdout.write(`${numbers.join(' ')}\n`);
  } else {
    const batch = Number(line.slice(4));
    const start = process.hrtime.bigint();
    for (let i = 0; i < batch; i++) question();
    process.stdout.write(`${process.hrtime.bigint() - start}\n`);
  }
}
