/**
 * System calls on a thread of their own, for those that change a thread for good
 * (landlock_restrict_self(2), prctl(PR_SET_NO_NEW_PRIVS)): credentials belong to
 * the thread, and this one ends with its list.
 */

import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** A number, its arguments, and which of them are results of earlier calls of the list. */
export interface ThreadCall {
  readonly number: number;
  readonly args: readonly number[];
  /** Index of an argument → index of the call whose result it is. */
  readonly results?: Readonly<Record<number, number>>;
}

/** Plain JavaScript: a worker is not transpiled, and shares nothing with this module but the arguments. */
const BODY = `
const { parentPort, workerData } = require('node:worker_threads');
const koffi = require(workerData.library);
const call = koffi.load(null).func('syscall', 'long', Array(7).fill('long'));
const results = [];
for (const { number, args, results: earlier } of workerData.calls) {
  const all = [...args, 0, 0, 0, 0, 0, 0].slice(0, 6);
  for (const [i, from] of Object.entries(earlier ?? {})) all[i] = results[from];
  const result = call(number, ...all);
  results.push(result === -1 ? -koffi.errno() : result);
}
parentPort.postMessage(results);
`;

/**
 * Runs the calls in order, without a stop at a failure.
 *
 * Addresses are those of this process's memory; who calls keeps it alive until the promise is settled.
 *
 * @returns the results, failures as negative errnos
 */
export function callOnThread(calls: readonly ThreadCall[]): Promise<number[]> {
  const library = createRequire(import.meta.url).resolve(`@koromix/koffi-linux-${process.arch}`);
  return new Promise((resolve, reject) => {
    const worker = new Worker(BODY, { eval: true, workerData: { library, calls }, execArgv: [] });
    let results: number[] | undefined;
    worker.once('message', (message: number[]) => {
      results = message;
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (results) resolve(results);
      else reject(new Error(`a thread of system calls ended with ${code}`));
    });
  });
}
