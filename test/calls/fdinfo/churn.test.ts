/** Processes and descriptors come and go while they are listed: rows are whole, and there once. */

import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DESCRIPTOR_TYPES, type Descriptor } from '../../../src/index.ts';
import { describeBackends } from '../../helpers/backends.ts';
import { listedDescriptors, shell, sleeper } from '../../helpers/processes.ts';
import { patience, scaled, until } from '../../helpers/scale.ts';

/** Different files at the same numbers, one after the other, and children that do so and end. */
const CHURN = `
  echo ready
  while :; do
    exec 5</dev/null 6>/dev/zero 7</dev/full
    (exec 8</dev/full 9</dev/zero; :)
    exec 5>/dev/zero 6</dev/full 7<&-
    /bin/true 8</dev/null
    exec 5<&- 6<&-
  done`;
const FILES = new Map(['/dev/null', '/dev/zero', '/dev/full'].map((path) => [path, statSync(path)]));

const TYPES: ReadonlySet<string> = new Set(DESCRIPTOR_TYPES);

/**
 * All of one file: what is of another one was read at another moment. Many rows: expect() is for the few.
 * By /proc, link and stat are two questions, and a number may have named something else in between and
 * the same again behind: the path can then be of one file and what stat(2) told of another one, whole too.
 */
function expectWhole(row: Descriptor, proc: boolean): void {
  if (!(row.pid > 0 && row.tid > 0 && TYPES.has(row.type))) expect.fail(JSON.stringify(row));
  if (!/^(sh|dash|true)$/.test(row.command ?? '') || Number(row.fd) < 5 || Number(row.fd) > 9) return;
  const { type, path, rdev, inode } = JSON.parse(JSON.stringify(row));
  if (!FILES.has(path)) return;
  const file = proc ? [...FILES.values()].find(({ ino }) => ino === inode) : FILES.get(path);
  if (!file) expect.fail(`no file of these: ${JSON.stringify(row)}`);
  const minor = file.rdev & 0xff;
  expect({ type, path, rdev, inode }).toEqual({ type: 'char', path, rdev: `1:${minor}`, inode: file.ino });
}

describeBackends('while everything changes', (handle, { proc }) => {
  test('streams and lists', async () => {
    const stable = await sleeper('3</dev/null 4</dev/zero 5</dev/null');
    const expected = listedDescriptors(stable.pid);
    const churning = [shell(CHURN), shell(CHURN)];
    await until('they churn', () => churning.every(({ output }) => output() === 'ready\n'));
    const rowsOfChurn = new Set<string>();

    const rounds = scaled(5, 2);
    const deadline = Date.now() + patience(20_000);
    // Until something has changed: a slow machine may look twice at the same moment of theirs.
    for (let round = 0; round < rounds || (rowsOfChurn.size < 2 && Date.now() < deadline); round++) {
      const rows: Descriptor[] = [];
      for await (const batch of handle().fdinfoStream()) rows.push(...batch);
      for (const row of rows) expectWhole(row, proc);
      const keys = rows.map(({ pid, tid, fd }) => `${pid} ${tid} ${fd}`);
      expect(new Set(keys).size, 'a descriptor is there twice').toBe(keys.length);
      expect(rows.filter(({ pid }) => pid === stable.pid).map(({ fd }) => fd)).toEqual(expected);

      for (const { pid } of churning) {
        const own = handle().fdinfo(pid).toArray();
        for (const row of own) expectWhole(row, proc);
        const numbers = own.map(({ fd }) => Number(fd));
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        // The shell's own are always open.
        expect(numbers.slice(0, 3)).toEqual([0, 1, 2]);
        rowsOfChurn.add(own.map(({ fd, path }) => `${fd} ${path}`).join());
      }
    }
    expect(rowsOfChurn.size, 'nothing has changed').toBeGreaterThan(1);
  });
});
