import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collect } from '../../src/calls/pool.ts';

/** A source of `size` numbers, each `step` behind the one before; answers as a backend does. */
function sourceOf(size: number, step: number) {
  return (target: Int32Array, at: number, cursor: number) => {
    let number = Math.ceil(cursor / step) * step;
    let index = at;
    for (; index < target.length && number < size * step; number += step) target[index++] = number;
    return index;
  };
}

const numbers = (size: number, step: number, start: number, limit: number) =>
  Int32Array.from({ length: size }, (_, i) => i * step)
    .filter((number) => number >= start)
    .slice(0, limit);

test('all numbers from start on, up to the limit', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(50), fc.nat(50_000)),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(100),
      fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(60_000)),
      (size, step, start, limit) => {
        const answer = collect(limit, start, sourceOf(size, step));
        const wanted = numbers(size, step, start, limit);
        expect(answer.length).toBe(wanted.length);
        expect(answer.every((number, i) => number === wanted[i])).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test('answers that are kept do not change under later ones', () => {
  const kept = Array.from({ length: 3000 }, (_, i) => collect(1000, 0, sourceOf(i % 97, 1)));
  kept.forEach((answer, i) => {
    expect(answer).toEqual(numbers(i % 97, 1, 0, 100));
  });
});

test('the limit holds wherever in the pool an answer begins', () => {
  for (let i = 0; i < 200; i++) {
    expect(collect(4000, 0, sourceOf(5000, 1))).toHaveLength(4000);
    expect(collect(4097, 0, sourceOf(4097, 1))).toHaveLength(4097);
  }
});

test('the largest number there can be ends it', () => {
  const edge = (target: Int32Array, at: number, cursor: number) => {
    let index = at;
    for (let n = Math.max(cursor, 2 ** 31 - 20_000); n < 2 ** 31 && index < target.length; n++) {
      target[index++] = n;
    }
    return index;
  };
  const answer = collect(Number.POSITIVE_INFINITY, 0, edge);
  expect(answer).toHaveLength(20_000);
  expect(answer[19_999]).toBe(2 ** 31 - 1);
});

test('an error comes through, and answers before it stay', () => {
  const before = collect(5, 0, sourceOf(5, 1));
  expect(() =>
    collect(5, 0, () => {
      throw new Error('refused');
    }),
  ).toThrow('refused');
  expect([...before]).toEqual([0, 1, 2, 3, 4]);
});
