/** The zoo as lsfd, lsof, ss and /proc/PID/fdinfo have it, member by member: test/helpers/equivalences/. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBackends } from '../../helpers/backends.ts';
import { FDINFO } from '../../helpers/equivalences/fdinfo.ts';
import { LSFD } from '../../helpers/equivalences/lsfd.ts';
import { LSOF } from '../../helpers/equivalences/lsof.ts';
import { SS } from '../../helpers/equivalences/ss.ts';
import type { Equivalence, Row } from '../../helpers/equivalences/table.ts';
import { lack, type Need, needs } from '../../helpers/needs.ts';
import { lsfd, lsof, type Peer, procFdinfo, ss } from '../../helpers/peers.ts';
import { openZoo, type Zoo } from '../../helpers/zoo.ts';

interface Truth {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly ask: (pid: number) => Peer;
  readonly table: readonly Equivalence[];
}

const TRUTHS: readonly Truth[] = [
  { name: 'lsfd', needs: ['lsfd', 'python3'], ask: lsfd, table: LSFD },
  { name: 'lsof', needs: ['lsof', 'python3'], ask: lsof, table: LSOF },
  { name: 'ss', needs: ['ss', 'python3'], ask: ss, table: SS },
  { name: '/proc/PID/fdinfo', needs: ['python3'], ask: procFdinfo, table: FDINFO },
];

/** One zoo for all: what is in it does not change, and one backend sees what the other sees. */
let zoo: Zoo;
beforeAll(async () => {
  if (lack('python3') === undefined) zoo = await openZoo();
});
afterAll(() => zoo?.end());

const asked = new Map<string, Peer>();
function ask({ name, ask }: Truth): Peer {
  const known = asked.get(name) ?? ask(zoo.pid);
  asked.set(name, known);
  return known;
}

for (const truth of TRUTHS) {
  describeBackends(`as ${truth.name} has it`, (handle, { proc }) => {
    needs(...truth.needs).describe('the zoo', () => {
      let peer: Peer;
      let rows: readonly Row[];
      let titles: ReadonlyMap<number, string>;

      beforeAll(() => {
        peer = ask(truth);
        rows = JSON.parse(JSON.stringify(handle().fdinfo(zoo.pid).toArray()));
        titles = new Map(Object.entries(zoo.animals).map(([name, { fd }]) => [fd, name]));
      });

      for (const { ours, theirs, of, read, only } of truth.table) {
        test(`${ours} is ${theirs}`, (context) => {
          if (peer.columns?.has(theirs) === false) return context.skip(`this ${truth.name} has no ${theirs}`);
          const expected: Record<string, unknown> = {};
          const found: Record<string, unknown> = {};
          for (const row of rows) {
            const told = peer.rows.get(row.fd)?.[theirs];
            if (told === undefined || only?.(row) === false || row[ours] === undefined) continue;
            const mine = of(row);
            if (mine === undefined) continue;
            const title = `${row.fd} ${titles.get(row.fd) ?? row.type}`;
            found[title] = mine;
            expected[title] = read ? read(told, row) : told;
          }
          expect(found).toEqual(expected);
          // Those that /proc tells nobody: docs/backends.md.
          if (proc && rows.every((row) => row[ours] === undefined || only?.(row) === false))
            return context.skip('/proc does not tell it');
          if (Object.keys(found).length > 0) return;
          // Older kernels have fewer lines, and not everybody may make every animal.
          if (truth.table === FDINFO && [...peer.rows.values()].every((row) => !(theirs in row)))
            return context.skip(`this kernel does not print ${theirs}`);
          const missing = Object.entries(zoo.animals).filter(([, animal]) => animal.missing);
          if (missing.length > 0)
            return context.skip(`nothing has it, without ${missing.map(([name]) => name).join(', ')}`);
          expect.fail('nothing was compared');
        });
      }

      test('no descriptor is on one side alone', () => {
        if (truth.name === 'ss') {
          for (const fd of peer.rows.keys()) expect(rows.map((row) => row.fd)).toContain(fd);
          return;
        }
        expect(rows.map(({ fd }) => fd)).toEqual([...peer.rows.keys()].sort((a, b) => a - b));
      });
    });
  });
}
