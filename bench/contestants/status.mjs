// A contestant in JavaScript: node bench/contestants/status.mjs WHAT
//
// WHAT is a way to ask for the status of every process: all of the same eight fields, or
// the number of descriptors. The answer is pid and one number of each process.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pidinfo } from '../../dist/index.js';

const [what = ''] = process.argv.slice(2);

/** @param {(pid: string) => object} read */
const everyProcess = (read) => {
  const rows = [];
  for (const name of readdirSync('/proc')) {
    if (name < '0' || name > ':') continue;
    try {
      rows.push(read(name));
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes(String(/** @type {NodeJS.ErrnoException} */ (error).code)))
        throw error;
    }
  }
  return rows;
};

/** stat, status and limits, as one writes it with node:fs. @param {string} pid */
const statusOf = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  return {
    pid: Number(pid),
    ppid: Number(fields[1]),
    state: fields[0],
    command: stat.slice(stat.indexOf('(') + 1, end),
    threads: Number(fields[17]),
    euid: Number(/^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]),
    rss: Number(fields[21]) * 4096,
    fdLimit: Number(/^Max open files +(\d+)/m.exec(limits)?.[1]),
  };
};

const FIELDS = /** @type {const} */ (['ppid', 'state', 'command', 'threads', 'euid', 'rss', 'fdLimit']);

/** @type {Record<string, {ask: () => any[], number: string}>} */
const ways = {
  pidinfo: { ask: () => pidinfo(undefined, { fields: FIELDS }).toArray(), number: 'ppid' },
  fs: { ask: () => everyProcess(statusOf), number: 'ppid' },
  fds: { ask: () => pidinfo(undefined, { fields: ['fds'] }).toArray(), number: 'fds' },
  'fs-fds': {
    ask: () => everyProcess((pid) => ({ pid: Number(pid), fds: statSync(`/proc/${pid}/fd`).size })),
    number: 'fds',
  },
};
const way = ways[what];
if (!way) throw new Error(`no way to ask called ${what}`);

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'answer') {
    console.log(
      way
        .ask()
        .flatMap((row) => [row.pid, row[way.number] ?? 0])
        .join(' '),
    );
    continue;
  }
  const times = Number(line.slice('run '.length));
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) way.ask();
  console.log(String(process.hrtime.bigint() - start));
}
