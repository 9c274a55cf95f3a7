// node bench/contestants/readfiles.mjs WHAT PID…: reads /proc/PID/stat of each. The answer is the pids
// that the files themselves name.

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { readFiles, readFilesSync, readfileatInto } from '../../dist/index.js';

const [what = '', ...pids] = process.argv.slice(2);
const paths = pids.map((pid) => `/proc/${pid}/stat`);
const room = Buffer.alloc(4096);
/** @typedef {Buffer | string} Text */

/** @type {Record<string, () => Text[] | Promise<Text[]>>} */
const ways = {
  readFilesSync: () => readFilesSync(paths).map(({ data, error }) => data ?? String(error)),
  readFiles: async () => (await readFiles(paths)).map(({ data, error }) => data ?? String(error)),
  into: () => paths.map((path) => room.toString('latin1', 0, readfileatInto(room, '', path))),
  readFileSync: () => paths.map((path) => readFileSync(path)),
  promises: () => Promise.all(paths.map((path) => readFile(path))),
};
const way = ways[what];
if (!way) throw new Error(`no way called ${what}`);

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'answer') {
    const texts = await way();
    process.stdout.write(`${texts.map((text) => Number.parseInt(text.toString(), 10)).join(' ')}\n`);
  } else {
    const start = process.hrtime.bigint();
    for (let i = Number(line.slice(4)); i > 0; i--) await way();
    process.stdout.write(`${process.hrtime.bigint() - start}\n`);
  }
}
