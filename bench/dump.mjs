// dump against reading the stream and throwing it away; reading and comparing two images.

import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diff, open, readImage } from '../dist/index.js';
import { crowd } from './crowd.mjs';
import { duration, median, table } from './harness.mjs';

const ANSWER = { details: true, paths: true, places: false, mappings: false, stat: false };
/** Processes and descriptors of each: a hard limit of 20,000 allows no 65,000 in one. */
const SIZE = [5, 13_000];
const QUICK = [5, 100];

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  const rounds = quick ? 1 : 15;
  const world = await crowd(rivals, quick ? QUICK : SIZE);
  if (!world) return 'not run: without a C compiler there is no crowd of processes';
  const folder = mkdtempSync(join(tmpdir(), 'fdmap-bench-dump-'));
  const handle = open();
  const own = openSync('/etc/passwd', 'r');
  const pids = [...world.pids, process.pid];
  try {
    const options = { places: false };
    const [before, after] = [join(folder, 'before'), join(folder, 'after')];
    await handle.dumpTo(before, pids, options);
    closeSync(own);
    await handle.dumpTo(after, pids, options);
    const rows = readImage(after).fdinfo().length;
    const live = handle.fdinfo(pids).length;
    if (Math.abs(rows - live) > 4) throw new Error(`${rows} rows in the image, ${live} descriptors`);
    const closed = diff(readImage(before), readImage(after)).closed.length;
    if (closed < 1 || closed > 4) throw new Error(`${closed} descriptors closed, not 1`);
    const contestants = {
      'stream, read and thrown away': () => {
        for (const pid of pids) {
          const stream = handle.lent.fdinfo({ pid, ...ANSWER });
          if (typeof stream === 'number') throw new Error(`fdinfo: ${stream}`);
          while (typeof stream.next() !== 'number');
          stream.close();
        }
      },
      'dump into /dev/null': () => handle.dumpTo('/dev/null', pids, options),
      'dump into a file': () => handle.dumpTo(join(folder, 'again'), pids, options),
      'two images read and compared': () => diff(readImage(before), readImage(after)),
    };
    const times = Object.keys(contestants).map(() => /** @type {number[]} */ ([]));
    for (let round = 0; round < rounds; round++) {
      for (const [i, action] of Object.values(contestants).entries()) {
        const start = process.hrtime.bigint();
        await action();
        times[i]?.push(Number(process.hrtime.bigint() - start));
      }
    }
    const least = Math.min(...(times[0] ?? []));
    const lines = Object.keys(contestants).map((name, i) => {
      const own = times[i] ?? [];
      const ratio = i < 3 ? (Math.min(...own) / least).toFixed(2) : '';
      return [name, duration(median(own)), duration(Math.min(...own)), ratio];
    });
    return table([`${rows} descriptors`, 'median', 'best', 'of the stream alone'], lines);
  } finally {
    handle.close();
    await world.end();
    rmSync(folder, { recursive: true });
  }
}
