// A contestant in JavaScript: node bench/contestants/status.mjs WHAT
//
// WHAT is a way to ask for the status of every process: all of the same eight fields, the
// number of descriptors, or what packages of npm tell (pid, parent, name and more). The answer is
// pid and one number of each process: of the eight fields, one that stands for all of them.

import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { pidinfo } from '../../dist/index.js';
import { digestOf, FIELDS, statusOf } from './status-files.mjs';

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

/** A package in bench/rivals. @param {string} name */
const rival = async (name) => {
  const require = createRequire(new URL('../rivals/package.json', import.meta.url));
  return import(pathToFileURL(require.resolve(name)).href);
};

/**
 * What ps-list tells of each, but for shares of CPU and memory, and for arguments, which are a file of each
 * process whoever asks: with them in a race of its own.
 */
const FIELDS_OF_PS_LIST = /** @type {const} */ (['ppid', 'command', 'euid', 'startTime', 'userTime', 'rss']);
/** And systeminformation. */
const FIELDS_OF_SYSTEM = /** @type {const} */ ([
  ...FIELDS_OF_PS_LIST,
  'priority',
  'vsize',
  'nice',
  'state',
  'tty',
  'systemTime',
]);
const listOf = (/** @type {readonly import('../../dist/index.js').ProcessField[]} */ fields) => () =>
  pidinfo(undefined, { fields }).toArray();

/** @type {Record<string, {ask: () => any[] | Promise<any[]>, number: string | ((row: any) => number), pause?: number}>} */
const ways = {
  pidinfo: { ask: () => pidinfo(undefined, { fields: FIELDS }).toArray(), number: digestOf },
  'like-ps-list': { ask: listOf(FIELDS_OF_PS_LIST), number: 'ppid' },
  'like-systeminformation': { ask: listOf(FIELDS_OF_SYSTEM), number: 'ppid' },
  'like-ps-list, args': { ask: listOf([...FIELDS_OF_PS_LIST, 'args']), number: 'ppid' },
  'like-systeminformation, args': { ask: listOf([...FIELDS_OF_SYSTEM, 'args']), number: 'ppid' },
  'ps-list': { ask: async () => (await rival('ps-list')).default(), number: 'ppid' },
  systeminformation: {
    ask: async () =>
      (await rival('systeminformation')).processes().then((/** @type {any} */ all) => all.list),
    number: 'parentPid',
    // what it found less than half a second ago it says again
    pause: 600,
  },
  fs: { ask: () => everyProcess(statusOf), number: digestOf },
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
    const { number } = way;
    const numberOf = typeof number === 'string' ? (/** @type {any} */ row) => row[number] ?? 0 : number;
    console.log((await way.ask()).flatMap((row) => [row.pid, numberOf(row)]).join(' '));
    continue;
  }
  const times = Number(line.slice('run '.length));
  let spent = 0n;
  for (let i = 0; i < times; i++) {
    if (way.pause) await new Promise((resolve) => setTimeout(resolve, way.pause));
    const start = process.hrtime.bigint();
    const answer = way.ask();
    if (answer instanceof Promise) await answer;
    if (way.pause) spent += process.hrtime.bigint() - start;
    else if (i === 0) spent -= start;
  }
  console.log(String(way.pause ? spent : spent + process.hrtime.bigint()));
}
