// node bench/contestants/closefrom.mjs closing|force|cloexec COUNT: as bench/rivals/close.c.

import { fstatSync, openSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { closefrom, inherited } from '../../dist/index.js';

const [what = '', countText = '0'] = process.argv.slice(2);
const count = Number(countText);
const FIRST = 100;
const options = { closing: {}, force: { force: true }, cloexec: { cloexec: true } }[what];
if (!options) throw new Error(`no way called ${what}`);

const openAll = () => {
  while (openSync('/etc/passwd', 'r') < FIRST + count - 1);
};
// What the streams and closefrom() itself open at first is open afterwards.
const lines = createInterface({ input: process.stdin });
openAll();
closefrom(FIRST, {});
// Compiled, as of a program that has run for a while, and without opening anything each time.
if (what === 'cloexec') for (let i = 0; i < 20_000; i++) closefrom(FIRST + count, options);

/** The listing's own descriptor was among them, and is closed by now. */
const openNow = () =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        return fstatSync(fd);
      } catch {
        return false;
      }
    });

let filled = false;
for await (const line of lines) {
  const answer = line === 'answer';
  let spent = 0n;
  for (let i = answer ? 1 : Number(line.slice(4)); i > 0; i--) {
    // node:fs opens everything close-on-exec; the flag is set once more, which costs the same.
    if (what !== 'cloexec' || !filled) openAll();
    filled = true;
    const start = process.hrtime.bigint();
    closefrom(FIRST, options);
    spent += process.hrtime.bigint() - start;
  }
  const left = what === 'cloexec' ? [...inherited()] : openNow();
  const numbers = left.filter((fd) => fd >= FIRST && fd < FIRST + count);
  process.stdout.write(answer ? `${numbers.join(' ')}\n` : `${spent}\n`);
}
