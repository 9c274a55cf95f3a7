// closefrom against what programs in C do, with many descriptors open.

import { join } from 'node:path';
import { duration, medians, race, table } from './harness.mjs';

const NODE = join(import.meta.dirname, 'contestants/closefrom.mjs');

/** Opening them all again takes longer than most ways to close them. */
const ROUNDS = 25;

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  const count = quick ? 500 : 19_000;
  const program = rivals.compile('close');
  const js = (/** @type {string} */ name, /** @type {string} */ what) => ({
    name,
    command: [process.execPath, NODE, what, String(count)],
  });
  const c = (/** @type {string} */ name, /** @type {string} */ what) =>
    program ? [{ name, command: [program, what, String(count)] }] : [];
  const complain = (/** @type {number[]} */ left) =>
    left.length ? `still open: ${left.slice(0, 5).join(' ')}` : undefined;
  /** @param {string} title @param {Parameters<typeof race>[0]} contestants @param {string} reference @param {number} [rounds] */
  const part = async (title, contestants, reference, rounds) => {
    const results = medians(await race(contestants, complain, quick, rounds));
    const against = results.get(reference);
    const rows = [...results].map(([name, ns]) => [
      name,
      duration(ns),
      against ? (ns / against).toFixed(2) : '',
    ]);
    return table([`${title} ${count} descriptors`, 'time', 'of close_range(2) in C'], rows);
  };
  const closing = await part(
    'closing',
    [
      ...c('close_range(2), C', 'range'),
      ...c('loop over /proc/self/fd, C', 'proc'),
      ...c('loop to RLIMIT_NOFILE, C', 'limit'),
      js('closefrom(n)', 'closing'),
      js('closefrom(n, {force})', 'force'),
    ],
    'close_range(2), C',
    ROUNDS,
  );
  const cloexec = await part(
    'close-on-exec for',
    [...c('close_range(2), C', 'cloexec'), js('closefrom(n, {cloexec})', 'cloexec')].map((each) => ({
      ...each,
      most: 40,
    })),
    'close_range(2), C',
  );
  return `${closing}\n\n${cloexec}`;
}
