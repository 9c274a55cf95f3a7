// Processes that stay, with descriptors that they report themselves, and processes that come and go.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const STAYS = 4;

const child = (file, ...args) =>
  spawn(process.execPath, [new URL(file, import.meta.url).pathname, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });

/** The first line that a child writes, as JSON. */
async function firstLine(process) {
  const lines = createInterface({ input: process.stdout });
  const [line] = await once(lines, 'line');
  return JSON.parse(line);
}

export async function makeWorld() {
  const stays = Array.from({ length: STAYS }, (_, i) => child('stays.mjs', String(i)));
  const stable = await Promise.all(stays.map(firstLine));
  const churner = child('churner.mjs');
  let forks = 0;
  createInterface({ input: churner.stdout }).on('line', (line) => {
    forks = Number(line);
  });
  return {
    /** [{pid, descriptors}] */
    stable,
    forks: () => forks,
    async end() {
      // Each ends by itself when its standard input does.
      const all = [...stays, churner];
      const exits = all.map((each) => once(each, 'exit'));
      for (const each of all) each.stdin.end();
      await Promise.all(exits);
    },
  };
}
