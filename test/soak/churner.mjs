// Forks short processes and opens and closes descriptors until its input ends; prints how many it forked.

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

let ended = false;
let forks = 0;
let alive = 0;
process.stdin.resume();
process.stdin.on('end', () => {
  ended = true;
});

const open = [];
function descriptors() {
  for (let i = 0; i < 200; i++) open.push(openSync('/dev/null'));
  if (open.length > 3000) for (const fd of open.splice(0)) closeSync(fd);
}

function turn() {
  if (ended && alive === 0) {
    process.exit(0);
  }
  descriptors();
  while (!ended && alive < 6) {
    alive++;
    forks++;
    spawn('sleep', [forks % 3 === 0 ? '0.05' : '0'], { stdio: 'ignore' }).on('exit', () => {
      alive--;
    });
  }
  setTimeout(turn, 5);
}
setInterval(() => process.stdout.write(`${forks}\n`), 500);
turn();
