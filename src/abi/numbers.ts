/** Lists of process and thread numbers as the kernel hands them out: unsorted, now and then twice. */

/**
 * Sorts `numbers` in place and appends them to `target`, each once.
 *
 * @returns where in `target` the next number would go; the largest are left out when it is full
 */
export function appendSorted(numbers: Int32Array, target: Int32Array, at: number): number {
  let previous = 0;
  let sorted = true;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if (number < previous) {
      sorted = false;
      break;
    }
    previous = number;
  }
  if (!sorted) numbers.sort();
  let last = -1;
  const room = target.length;
  for (let i = 0; i < numbers.length && at < room; i++) {
    const number = numbers[i] as number;
    if (number === last) continue;
    last = number;
    target[at++] = number;
  }
  return at;
}
