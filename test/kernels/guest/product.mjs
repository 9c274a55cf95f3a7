// Prints, as one JSON object, what the product can do here: which backend and tier `auto` comes
// to, which of its compiled programs this kernel takes, each loaded on its own, and that the answers
// about known things are right. It needs no /proc.
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { release } from 'node:os';
import { loadingSource } from '../../../src/backends/kernel/backend.js';
import { open } from '../../../src/index.js';
import * as objects from '../../../src/loader/objects.gen.js';
import { unload } from '../../../src/loader/skeleton.js';
import { nativeDoor } from '../../../src/sys/ffi.js';

if (!nativeDoor) throw new Error('no native call layer');
const source = loadingSource(nativeDoor, release());

/** @type {Record<string, {loads: boolean, ms: number, error: string}>} */
const programs = {};
for (const object of Object.values(objects)) {
  const started = performance.now();
  let error = '';
  try {
    unload(nativeDoor, source(object));
  } catch (refusal) {
    error = String(refusal.message);
  }
  programs[object.name] = { loads: error === '', ms: performance.now() - started, error };
}

/** @param {string} what @param {Int32Array} answer @param {number[]} wanted */
function contains(what, answer, wanted) {
  const missing = wanted.filter((number) => !answer.includes(number));
  if (missing.length > 0) throw new Error(`${what}: ${missing} not in ${answer}`);
}

const handle = open({ backend: 'auto' });
const { backend, tier, why } = handle;
const opened = [openSync('/dev/null', 'r'), openSync('/dev/zero', 'r')];
contains('fdmap()', handle.fdmap(), [0, 1, 2, ...opened]);
contains('fdmap(pid)', handle.fdmap(process.pid), [0, 1, 2, ...opened]);

// busybox's sh (dash has one digit for a redirection) says that it runs before it is asked about, and
// then holds exactly what was put there.
const child = spawn('/bin/sh', ['-c', 'exec 7</dev/null 200</dev/zero; echo; exec sleep 1000'], {
  stdio: ['ignore', 'pipe', 'ignore'],
});
await new Promise((resolve) => child.stdout.once('data', resolve));
const pid = child.pid ?? 0;
contains('fdmap(child)', handle.fdmap(pid), [0, 1, 2, 7, 200]);
contains('pidmap()', handle.pidmap({ mode: 'processes' }), [1, process.pid, pid]);
contains('pidmap(children)', handle.pidmap({ mode: 'children', pid: process.pid }), [pid]);
child.kill('SIGKILL');
handle.close();
console.log(JSON.stringify({ backend, tier, why, programs }));
