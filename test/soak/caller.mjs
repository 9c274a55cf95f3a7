// One thread of callers.

import { parentPort, workerData } from 'node:worker_threads';
import { open, readFiles } from '../../dist/index.js';

const { deadline, stable, backend } = workerData;
const report = { backend: '', calls: 0, rows: 0, vanished: 0, handles: 0, failures: [] };
const MODES = ['processes', 'tasks', 'children', 'threads'];
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const fail = (text) => report.failures.length < 20 && report.failures.push(text);

function ascending(numbers, what) {
  for (let i = 1; i < numbers.length; i++) {
    if (numbers[i] <= numbers[i - 1]) return fail(`${what}: ${numbers[i]} after ${numbers[i - 1]}`);
  }
}

/** Only these may be said of a process that somebody else ends. */
function vanishing(call) {
  try {
    return call();
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'EACCES') throw error;
    report.vanished++;
    return new Int32Array(0);
  }
}

/** A few microseconds each. */
const quick = [
  (h) => {
    const { pid, descriptors } = pick(stable);
    const start = Math.random() < 0.5 ? 0 : Math.floor(Math.random() * 4000);
    const got = h.fdmap(pid, { start });
    const wanted = descriptors.filter((fd) => fd >= start);
    if (got.length !== wanted.length || wanted.some((fd, i) => got[i] !== fd)) {
      fail(`fdmap(${pid}, start ${start}): ${got.length} descriptors, ${wanted.length} wanted`);
    }
    return got;
  },
  (h) => h.fdmap(),
  (h) => {
    const pids = h.pidmap({ mode: pick(['processes', 'tasks']), kthreads: Math.random() < 0.5 });
    for (const { pid } of stable) if (!pids.includes(pid)) fail(`pidmap lacks ${pid}`);
    const any = pids[Math.floor(Math.random() * pids.length)];
    ascending(
      vanishing(() => h.fdmap(any)),
      `fdmap(${any})`,
    );
    return pids;
  },
  (h) => vanishing(() => h.pidmap({ mode: pick(MODES), pid: pick([0, ...stable.map(({ pid }) => pid)]) })),
  (h) => h.pidmap({ count: 5, start: pick(stable).pid }),
];

/** Up to every descriptor of the machine. */
const thorough = [
  (h) => {
    const { pid, descriptors } = pick(stable);
    const rows = h.fdinfo(pid).toArray();
    const numbers = rows.map(({ fd }) => fd);
    if (String(numbers) !== String(descriptors))
      fail(`fdinfo(${pid}): ${numbers.length} rows, ${descriptors.length} wanted`);
    for (const row of rows) {
      if (row.pid !== pid || row.tid !== pid) fail(`fdinfo(${pid}): a row of ${row.pid}/${row.tid}`);
      // Whatever node has open itself, the others are what the process opened.
      if (row.type === 'char' && row.path !== '/dev/null') fail(`fdinfo(${pid}): ${row.fd} is ${row.path}`);
    }
    return numbers;
  },
  (h) => {
    const gone = 4_194_303;
    const named = [pick(stable).pid, gone, anyPid(h)];
    const list = h.fdinfo(named);
    report.vanished += list.vanished;
    if (!list.errors.some(({ pid, error }) => pid === gone && error.code === 'ESRCH'))
      fail('fdinfo([… gone]): it is not said');
    if (list.toArray().some(({ pid }) => !named.includes(pid))) fail('fdinfo([…]): a row of somebody else');
    return new Array(list.length).fill(0).map((_, i) => i);
  },
  (h) => {
    const { pid, descriptors } = pick(stable);
    const [row, ...more] = h.pidinfo(pid).toArray();
    if (more.length > 0 || row.pid !== pid || row.fds !== descriptors.length || row.error)
      fail(`pidinfo(${pid}): ${JSON.stringify(row).slice(0, 300)}, ${descriptors.length} fds wanted`);
    return [row.pid];
  },
  (h) => {
    const list = h.pidinfo(undefined, { fields: ['ppid', 'startTime', 'fds', 'command'] });
    const rows = list.toArray();
    report.vanished += list.vanished;
    for (const { pid, descriptors } of stable) {
      const row = rows.find((each) => each.pid === pid);
      if (row?.fds !== descriptors.length) fail(`pidinfo(): ${pid} has ${row?.fds} fds`);
    }
    return rows.map(({ pid }) => pid).sort((one, other) => one - other);
  },
  (h) => {
    const list = h.pidinfo([anyPid(h), pick(stable).pid, anyPid(h)], { threads: false });
    report.vanished += list.vanished;
    if (list.length !== 3) fail(`pidinfo of three: ${list.length} rows`);
    return [0, 1, 2];
  },
  (h) => {
    const { pid } = pick(stable);
    const rows = h.fdinfo(pid, { places: true }).toArray();
    if (!rows.some(({ fd, type }) => fd === 'cwd' && type === 'dir')) fail(`fdinfo(${pid}): no cwd`);
    return rows.map((_, i) => i);
  },
  (h) => {
    const { pid } = pick(stable);
    const rows = vanishing(() => h.pidinfo(pid, { threads: true, fields: ['tid', 'state'] }).toArray());
    if (!rows.some(({ tid }) => tid === pid)) fail(`pidinfo(${pid}, threads): its first is not there`);
    return rows.map((_, i) => i);
  },
  async (h) => {
    let pieces = 0;
    for await (const piece of h.dump(pick(stable).pid)) pieces += piece.length > 0 ? 1 : 0;
    if (pieces === 0) fail('dump(): nothing');
    return [pieces];
  },
  async () => {
    const paths = ['/proc/self/stat', '/proc/self/status', '/nowhere'];
    const read = await readFiles(paths);
    if (read.length !== 3) fail(`readFiles(): ${read.length} answers`);
    return [0, 1, 2];
  },
  async (h) => {
    // Given up in the middle as often as not: what it holds must go with it.
    const numbers = [];
    let left = Math.floor(Math.random() * 4);
    for await (const rows of h.fdinfoStream()) {
      for (const _ of rows) numbers.push(numbers.length);
      if (left-- === 0) break;
    }
    return numbers;
  },
];

const anyPid = (h) => {
  const pids = h.pidmap();
  return pids[Math.floor(Math.random() * pids.length)];
};

let handle = open({ backend });
report.backend = handle.backend;
while (Date.now() < deadline && report.failures.length < 20) {
  try {
    for (let i = 0; i < 50 && Date.now() < deadline; i++) {
      const numbers = await pick(Math.random() < 0.9 ? quick : thorough)(handle);
      ascending(numbers, 'answer');
      report.calls++;
      report.rows += numbers.length;
    }
  } catch (error) {
    fail(error.stack ?? String(error));
  }
  if (Math.random() < 0.02) {
    handle.close();
    handle = open({ backend });
    report.handles++;
  }
}
handle.close();
parentPort.postMessage(report);
