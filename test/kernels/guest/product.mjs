// Prints, as one JSON object, what the built product can do here: which backend and tier `auto` comes
// to, and which of its compiled programs this kernel takes, each loaded on its own.
import { release } from 'node:os';
import { loadingSource } from '../../../dist/backends/kernel/backend.js';
import { open } from '../../../dist/index.js';
import * as objects from '../../../dist/loader/objects.gen.js';
import { unload } from '../../../dist/loader/skeleton.js';
import { nativeDoor } from '../../../dist/sys/ffi.js';

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

const handle = open({ backend: 'auto' });
const { backend, tier, why } = handle;
const pids = handle.pidmap().length;
const descriptors = handle.fdmap(process.pid).length;
if (pids === 0 || descriptors === 0) throw new Error(`${pids} processes, ${descriptors} descriptors`);
console.log(JSON.stringify({ backend, tier, why, pids, descriptors, programs }));
