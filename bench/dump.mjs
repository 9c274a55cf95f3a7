// dump against reading the stream and throwing it away; reading and comparing two images.

import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diff, open, readImage } from '../dist/index.js';
import { duration, median, table } from './harness.mjs';

const QUESTION = {
  pid: process.pid,
  details: true,
  paths: true,
  places: false,
  mappings: false,
  stat: false,
};

/** @param {import('./harness.mjs').Rivals} _rivals @param {boolean} quick */
export async function run(_rivals, quick) {
  const count = quick ? 500 : 65_000;
  const rounds = quick ? 1 : 15;
  const folder = mkdtempSync(join(tmpdir(), 'fdmap-bench-dump-'));
  const handle = open();
  /** @type {number[]} */
  const opened = [];
  try {
    try {
      while (opened.length < count) opened.push(openSync('/etc/passwd', 'r'));
    } catch (error) {
      // RLIMIT_NOFILE: as many as there may be, less a few to work with.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EMFILE') throw error;
      for (const fd of opened.splice(-20)) closeSync(fd);
    }
    const options = { places: false };
    const [before, after] = [join(folder, 'before'), join(folder, 'after')];
    await handle.dumpTo(before, process.pid, options);
    closeSync(/** @type {number} */ (opened.pop()));
    await handle.dumpTo(after, process.pid, options);
    const rows = readImage(after).fdinfo().length;
    const live = handle.fdinfo(process.pid).length;
    if (Math.abs(rows - live) > 4) throw new Error(`${rows} rows in the image, ${live} descriptors`);
    const closed = diff(readImage(before), readImage(after)).closed.length;
    if (closed < 1 || closed > 4) throw new Error(`${closed} descriptors closed, not 1`);
    const contestants = {
      'stream, read and thrown away': () => {
        const stream = handle.lent.fdinfo(QUESTION);
        if (typeof stream === 'number') throw new Error(`fdinfo: ${stream}`);
        while (typeof stream.next() !== 'number');
        stream.close();
      },
      'dump into /dev/null': () => handle.dumpTo('/dev/null', process.pid, options),
      'dump into a file': () => handle.dumpTo(join(folder, 'again'), process.pid, options),
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
    for (const fd of opened) closeSync(fd);
    handle.close();
    rmSync(folder, { recursive: true });
  }
}
