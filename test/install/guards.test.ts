/** Where the words of Landlock and AppArmor are found among words of which some are the neighbours'. */

import { expect, it } from 'vitest';
import { firstOfAll, labelIn, measureGuards } from '../../src/backends/pinned/guards.ts';
import { securityModules } from '../../src/backends/pinned/modules.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { needs } from '../helpers/needs.ts';
import { patience, scaled } from '../helpers/scale.ts';

const LABEL = 0xffff_8880_0000_1000n;
const OTHER = 0xffff_ffff_8100_2000n;
const words = (...list: bigint[]) => BigUint64Array.from(list);

it('the label is the first word that all samples share', () => {
  expect(labelIn([words(0n, LABEL, LABEL), words(0n, LABEL, 7n)], 0)).toEqual({
    word: 8,
    unconfined: LABEL,
  });
});

it('what neighbours have in common is behind it', () => {
  const samples = [words(0n, LABEL, OTHER, 5n), words(0n, LABEL, OTHER, 5n)];
  expect(labelIn(samples, 0)).toEqual({ word: 8, unconfined: LABEL });
});

it("Landlock's domain and what is no address are none", () => {
  expect(labelIn([words(LABEL, 3n), words(LABEL, 3n)], 0)).toBeUndefined();
});

it('of places that change in every round the first is the own one', () => {
  expect(firstOfAll([[8, 24], [24, 8, 16], [8]])).toBe(8);
  expect(
    firstOfAll([
      [0, 8],
      [8, 0],
      [0, 8],
    ]),
  ).toBe(0);
  expect(firstOfAll([[0], [8]])).toBeUndefined();
});

needs('root', 'kernel', 'landlock').test(
  'a word is found each time, and each time the same, whatever the neighbours do',
  { timeout: patience(60_000) },
  async () => {
    const modules = securityModules(nativeDoor!);
    const found = new Set<number | undefined>();
    for (let i = 0; i < scaled(100, 5); i++) {
      const measured = await measureGuards(nativeDoor!, { ...modules, names: ['landlock'] });
      if ('refused' in measured) expect.fail(measured.refused);
      found.add(measured.guards.landlockWord);
    }
    expect([...found]).toEqual([expect.any(Number)]);
  },
);
