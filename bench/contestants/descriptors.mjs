// A contestant in JavaScript: node bench/contestants/descriptors.mjs WHAT [ARGUMENT]
//
// WHAT is a way to ask for descriptors (below). The answer is pid and number of each row.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fdinfo } from '../../dist/index.js';

const [what = '', argument = ''] = process.argv.slice(2);

/** What a listing shows of each row. @param {Iterable<import('../../dist/index.js').Descriptor>} list */
const short = (list) => {
  const rows = [];
  for (const row of list) rows.push({ pid: row.pid, fd: row.fd, type: row.type, path: row.path, row });
  return rows;
};

/** node:fs as one writes it. @param {(directory: string, name: string) => object} read */
const byFs = (read) => {
  const directory = `/proc/${argument}`;
  return readdirSync(`${directory}/fd`).map((name) => ({
    pid: Number(argument),
    fd: Number(name),
    ...read(directory, name),
  }));
};

/** @type {Record<string, () => {pid: number, fd: number | string}[]>} */
const ways = {
  rows: () => short(fdinfo()),
  all: () => Array.from(fdinfo(), (row) => /** @type {any} */ (row.toJSON())),
  one: () => short(fdinfo(Number(argument))),
  port: () => short(fdinfo(undefined, { port: Number(argument) })),
  path: () => short(fdinfo(undefined, { path: argument })),
  fs: () => byFs((directory, name) => ({ path: readlinkSync(`${directory}/fd/${name}`) })),
  'fs-fdinfo': () =>
    byFs((directory, name) => ({
      path: readlinkSync(`${directory}/fd/${name}`),
      text: readFileSync(`${directory}/fdinfo/${name}`, 'latin1'),
    })),
};
const way = ways[what];
if (!way) throw new Error(`no way to ask called ${what}`);

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'answer') {
    console.log(
      way()
        .flatMap(({ pid, fd }) => [pid, Number(fd)])
        .join(' '),
    );
    continue;
  }
  const times = Number(line.slice('run '.length));
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) way();
  console.log(String(process.hrtime.bigint() - start));
}
