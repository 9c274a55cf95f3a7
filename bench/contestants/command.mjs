// A whole process as a contestant: node bench/contestants/command.mjs FORM FILE COMMAND…
//
// What COMMAND prints goes to FILE; FORM says how pid and number of each row are found there.

import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [form = '', file = '', command = '', ...args] = process.argv.slice(2);

/** A column of pids, one of users, one of descriptors: lsof's and lsfd's own order. */
const COLUMNS = /^.*?\s(\d+)\s+\S+\s+(\d+)(?:[a-zA-Z-]*\s)/gm;

/** @type {Record<string, (text: string) => number[]>} */
const forms = {
  columns: (text) => [...text.matchAll(COLUMNS)].flatMap(([, pid, fd]) => [Number(pid), Number(fd)]),
  // lsof -F: p begins a process, f a descriptor
  fields: (text) => {
    const found = [];
    let pid = 0;
    for (const line of text.split('\n')) {
      if (line.startsWith('p')) pid = Number(line.slice(1));
      else if (/^f\d/.test(line)) found.push(pid, Number.parseInt(line.slice(1), 10));
    }
    return found;
  },
  lsfd: (text) =>
    JSON.parse(text).lsfd.flatMap((/** @type {Record<string, string>} */ row) => [
      Number(row.pid),
      Number(row.assoc),
    ]),
  jsonl: (text) =>
    text
      .split('\n')
      .filter(Boolean)
      .flatMap((line) => {
        const { pid, fd } = JSON.parse(line);
        return [pid, Number(fd)];
      }),
  ss: (text) => [...text.matchAll(/pid=(\d+),fd=(\d+)/g)].flatMap(([, pid, fd]) => [Number(pid), Number(fd)]),
  // fuser prints no numbers of descriptors
  pids: (text) => [...text.matchAll(/\d+/g)].flatMap(([pid]) => [Number(pid), Number.NaN]),
};
const rowsIn = forms[form];
if (!rowsIn) throw new Error(`no form called ${form}`);

function run() {
  const output = openSync(file, 'w');
  const { error, status } = spawnSync(command, args, { stdio: ['ignore', output, 'ignore'] });
  closeSync(output);
  // lsof says 1 where something could not be read.
  if (error || (status ?? 2) > 1) throw error ?? new Error(`${command}: status ${status}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'answer') {
    run();
    console.log(rowsIn(readFileSync(file, 'utf8')).join(' '));
    continue;
  }
  const start = process.hrtime.bigint();
  for (let i = Number(line.slice('run '.length)); i > 0; i--) run();
  console.log(String(process.hrtime.bigint() - start));
}
