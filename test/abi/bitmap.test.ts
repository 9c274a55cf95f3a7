import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBitmap } from '../../src/abi/bitmap.ts';

const words = fc.array(
  fc.oneof(fc.constantFrom(0, 0xffff_ffff, 1, 0x8000_0000), fc.integer({ min: 0, max: 0xffff_ffff })),
  { maxLength: 40 },
);

/** The same by one bit at a time. */
function expected(list: readonly number[], count: number, base: number, start: number): number[] {
  const numbers: number[] = [];
  for (let bit = 0; bit < count * 32; bit++) {
    if ((list[bit >>> 5]! >>> (bit & 31)) & 1 && base + bit >= start) numbers.push(base + bit);
  }
  return numbers;
}

test('every set bit from start on, ascending, and no other', () => {
  fc.assert(
    fc.property(
      words,
      fc.nat(1000),
      fc.nat(1400),
      fc.nat(1400),
      fc.nat(5),
      (list, group, ahead, room, at) => {
        const base = group * 64;
        const start = Math.max(base + ahead - 64, 0);
        const target = new Int32Array(at + room).fill(-7);
        const end = decodeBitmap(Uint32Array.from(list), list.length, base, start, target, at);
        const all = expected(list, list.length, base, start);
        expect([...target.subarray(at, end)]).toEqual(all.slice(0, room));
        // Nothing before, and nothing behind.
        expect(target.subarray(0, at).every((n) => n === -7)).toBe(true);
        expect(target.subarray(end).every((n) => n === -7)).toBe(true);
      },
    ),
  );
});

test('words behind the count are not looked at', () => {
  fc.assert(
    fc.property(words, fc.nat(40), (list, limit) => {
      const count = Math.min(limit, list.length);
      const target = new Int32Array(2000);
      const end = decodeBitmap(Uint32Array.from(list), count, 0, 0, target, 0);
      expect([...target.subarray(0, end)]).toEqual(expected(list, count, 0, 0));
    }),
  );
});

test('the largest numbers', () => {
  const target = new Int32Array(64);
  const base = 2 ** 31 - 64;
  expect(decodeBitmap(Uint32Array.of(1, 0x8000_0000), 2, base, 2 ** 31 - 1, target, 0)).toBe(1);
  expect(target[0]).toBe(2 ** 31 - 1);
});
