// One thread of callers.

import { parentPort, workerData } from 'node:worker_threads';
import { open } from '../../dist/index.js';

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

const acts = [
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

let handle = open({ backend });
report.backend = handle.backend;
while (Date.now() < deadline && report.failures.length < 20) {
  try {
    for (let i = 0; i < 50; i++) {
      const numbers = pick(acts)(handle);
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
