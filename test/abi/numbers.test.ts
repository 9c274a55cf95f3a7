import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendSorted } from '../../src/abi/numbers.ts';

/** Dense, spread as those of a machine are, and further apart than it is worth a bitmap. */
const lists = fc
  .constantFrom(300, 20_000, 2 ** 22)
  .chain((most) => fc.array(fc.nat(most), { maxLength: 200, size: 'max' }));

test('sorted, each once, the smallest that there is room for', () => {
  fc.assert(
    fc.property(lists, fc.nat(250), fc.nat(5), (numbers, room, at) => {
      const target = new Int32Array(at + room).fill(-7);
      const end = appendSorted(Int32Array.from(numbers), target, at);
      const all = [...new Set(numbers)].sort((a, b) => a - b);
      expect([...target.subarray(at, end)]).toEqual(all.slice(0, room));
      expect(target.subarray(0, at).every((n) => n === -7)).toBe(true);
      expect(target.subarray(end).every((n) => n === -7)).toBe(true);
    }),
  );
});

test('0 and the largest', () => {
  const target = new Int32Array(4);
  expect(appendSorted(Int32Array.of(2 ** 31 - 1, 0, 0), target, 0)).toBe(2);
  expect([...target]).toEqual([0, 2 ** 31 - 1, 0, 0]);
});
