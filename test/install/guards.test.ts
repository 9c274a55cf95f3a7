/** Where the label of AppArmor is found among words of which some are the neighbours'. */

import { expect, it } from 'vitest';
import { labelCandidates } from '../../src/backends/pinned/guards.ts';

const LABEL = 0xffff_8880_0000_1000n;
const OTHER = 0xffff_ffff_8100_2000n;
const words = (...list: bigint[]) => BigUint64Array.from(list);

it('a word that all samples share is a candidate, at its first place', () => {
  expect(labelCandidates([words(0n, LABEL, LABEL), words(0n, LABEL, 7n)], 0)).toEqual([
    { word: 8, unconfined: LABEL },
  ]);
});

it('what two neighbours have in common is gone with a third', () => {
  const two = [words(0n, LABEL, OTHER, 5n), words(0n, LABEL, OTHER, 5n)];
  expect(labelCandidates(two, 0)).toEqual([
    { word: 8, unconfined: LABEL },
    { word: 16, unconfined: OTHER },
  ]);
  expect(labelCandidates([...two, words(0n, LABEL, 0n, 5n)], 0)).toEqual([{ word: 8, unconfined: LABEL }]);
});

it("Landlock's domain and what is no address are none", () => {
  expect(labelCandidates([words(LABEL, 3n), words(LABEL, 3n)], 0)).toEqual([]);
});
