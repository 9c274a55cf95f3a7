// npm run test:soak [-- --seconds 120 --threads 3 --backend auto --alone]
//
// Random calls from several threads against a world of processes and descriptors that come
// and go. Memory, descriptors and kernel objects are counted before and after; every answer
// about a process that stays is compared with what that process says of itself.

import { readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { makeWorld } from './world.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    threads: { type: 'string', default: '3' },
    // Nobody else on this machine loads or pins programs meanwhile: those that stay are then ours.
    alone: { type: 'boolean', default: false },
    backend: { type: 'string', default: process.env.FDMAP_BACKEND ?? 'auto' },
  },
});
const seconds = Number(values.seconds);
const threads = Number(values.threads);
/** What is left in half-used pages: it goes up and down by 20 MiB from one round to the next. */
const RSS_TOLERANCE = 48 * 1024 * 1024;
/** Code that is compiled late. */
const NATIVE_TOLERANCE = 8 * 1024 * 1024;
const HEAP_TOLERANCE = 8 * 1024 * 1024;

/** Our descriptors by what they are: programs, maps, links and iterators are kernel objects. */
function descriptors() {
  const counts = {};
  for (const fd of readdirSync('/proc/self/fd')) {
    let target;
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error; // the listing's own descriptor
      continue;
    }
    const kind = target.replace(/:\[\d+\]$/, '').replace(/^\/.*/, 'file');
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/**
 * Resident memory alone says little of leaks: threads that have ended leave glibc's arenas behind,
 * which keep freed pages (60 MiB and more). malloc_trim(3) gives them back, mallinfo(3) counts the
 * bytes that are allocated in all arenas.
 */
const koffi = createRequire(import.meta.url)(`@koromix/koffi-linux-${process.arch}`);
const libc = koffi.load('libc.so.6');
const FIELDS = [
  'arena',
  'ordblks',
  'smblks',
  'hblks',
  'hblkhd',
  'usmblks',
  'fsmblks',
  'uordblks',
  'fordblks',
];
koffi.struct('mallinfo2', Object.fromEntries([...FIELDS, 'keepcost'].map((name) => [name, 'size_t'])));
const trim = libc.func('int malloc_trim(size_t)');
const mallinfo = libc.func('mallinfo2 mallinfo2()');

/** bpf(2): BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID */
const NEXT_ID = { programs: 11, maps: 12, links: 31 };
const bpf = libc.func('long syscall(long number, int command, void *attr, uint size)');
const BPF_NUMBER = process.arch === 'arm64' ? 280 : 321;

/**
 * The machine's, ours or not, by their numbers: what is there at the end and was not at the beginning.
 * They are everybody's on this machine, so that growth is a failure with --alone only. Root alone may ask.
 */
function kernelObjects() {
  if (process.getuid() !== 0) return undefined;
  const found = new Set();
  for (const [kind, command] of Object.entries(NEXT_ID)) {
    const attr = new Uint32Array(4); // start_id, next_id, open_flags
    while (Number(bpf(BPF_NUMBER, command, attr, 12)) === 0) {
      found.add(`${kind.slice(0, -1)} ${attr[1]}`);
      attr[0] = attr[1];
    }
  }
  return found;
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 500));

async function measure() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await settle();
  }
  trim(0);
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const { uordblks, hblkhd } = mallinfo();
  return {
    rss,
    heap: heapUsed + arrayBuffers,
    native: uordblks + hblkhd,
    descriptors: descriptors(),
    objects: kernelObjects(),
  };
}

/** One round of threads, for so many seconds. */
function round(world, duration) {
  const deadline = Date.now() + duration * 1000;
  const run = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./caller.mjs', import.meta.url), {
        workerData: { deadline, stable: world.stable, backend: values.backend },
      });
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  return Promise.all(Array.from({ length: threads }, run));
}

const sum = (reports, key) => reports.reduce((total, report) => total + report[key], 0);

const world = await makeWorld();
try {
  // A first round fills caches and pools; what comes after it must not grow.
  await round(world, Math.min(10, Math.max(2, seconds / 10)));
  const before = await measure();
  const reports = await round(world, seconds);
  const after = await measure();

  console.log(
    `${threads} threads, ${seconds} s, backend ${reports[0].backend}: ${sum(reports, 'calls')} calls, ` +
      `${sum(reports, 'rows')} numbers and rows, ${sum(reports, 'vanished')} vanished, ${sum(reports, 'handles')} handles opened and closed`,
  );
  console.log(`churn: ${world.forks()} processes came and went`);
  const mebi = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;
  console.log(
    `resident ${mebi(before.rss)} -> ${mebi(after.rss)}, heap and buffers ${mebi(before.heap)} -> ${mebi(after.heap)}, ` +
      `allocated natively ${mebi(before.native)} -> ${mebi(after.native)}`,
  );
  console.log(`descriptors ${JSON.stringify(before.descriptors)} -> ${JSON.stringify(after.descriptors)}`);

  if (!before.objects) console.log('kernel objects: not counted, for want of root');
  else console.log(`kernel objects ${before.objects.size} -> ${after.objects.size}`);

  const failures = reports.flatMap((report) => report.failures);
  if (sum(reports, 'calls') === 0) failures.push('no call was made');
  if (JSON.stringify(before.descriptors) !== JSON.stringify(after.descriptors))
    failures.push('descriptors differ');
  const left = [...(after.objects ?? [])].filter((each) => !before.objects.has(each));
  if (values.alone && left.length > 0)
    failures.push(`kernel objects that were not there before: ${left.join(', ')}`);
  if (after.rss - before.rss > RSS_TOLERANCE)
    failures.push(`resident memory grew by ${mebi(after.rss - before.rss)}`);
  if (after.heap - before.heap > HEAP_TOLERANCE)
    failures.push(`the heap grew by ${mebi(after.heap - before.heap)}`);
  if (after.native - before.native > NATIVE_TOLERANCE)
    failures.push(`native memory grew by ${mebi(after.native - before.native)}`);
  for (const failure of failures.slice(0, 20)) console.error(`FAILED: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
  else console.log('nothing grew, nothing was wrong');
} finally {
  await world.end();
}
