/** The open_fds bitmap of a descriptor table, as numbers. */

/**
 * Appends the numbers of the set bits to `target`, ascending.
 *
 * @param words the bitmap as 32-bit words (little-endian halves of the kernel's longs)
 * @param count how many of `words` are valid
 * @param base the number of the first bit, a multiple of 64
 * @param start bits below this number are left out
 * @param at where in `target` to begin
 * @returns where in `target` the next number would go; `target.length` when it is full
 */
export function decodeBitmap(
  words: Uint32Array,
  count: number,
  base: number,
  start: number,
  target: Int32Array,
  at: number,
): number {
  const room = target.length;
  let first = 0;
  let mask = -1;
  if (start > base) {
    first = (start - base) >>> 5;
    mask = -1 << ((start - base) & 31);
  }
  for (let i = first; i < count; i++) {
    let word = (words[i] as number) & mask;
    mask = -1;
    if (word === 0) continue;
    const number = base + i * 32;
    if (word === -1 && room - at >= 32) {
      for (let bit = 0; bit < 32; bit += 4) {
        target[at + bit] = number + bit;
        target[at + bit + 1] = number + bit + 1;
        target[at + bit + 2] = number + bit + 2;
        target[at + bit + 3] = number + bit + 3;
      }
      at += 32;
      continue;
    }
    while (word !== 0) {
      if (at === room) return at;
      const lowest = word & -word;
      target[at++] = number + 31 - Math.clz32(lowest);
      word ^= lowest;
    }
  }
  return at;
}
