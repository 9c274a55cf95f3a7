// A process with descriptors that do not change: it prints them and waits for the end of its input.

import { openSync, readdirSync, readlinkSync } from 'node:fs';

const count = [0, 40, 700, 3000][Number(process.argv[2])] ?? 10;
for (let i = 0; i < count; i++) openSync('/dev/null');

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

// After everything that Node opens by itself.
setTimeout(() => {
  const descriptors = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        readlinkSync(`/proc/self/fd/${fd}`);
        return true;
      } catch (error) {
        if (error.code === 'ENOENT') return false; // the listing's own
        throw error;
      }
    })
    .sort((a, b) => a - b);
  process.stdout.write(`${JSON.stringify({ pid: process.pid, descriptors })}\n`);
}, 300);
