/**
 * Where answers of unknown length are written. An Int32Array of its own costs
 * more than the system call, so short answers are views of a shared buffer, as
 * Buffer's are: a slab is handed out piece by piece and never written twice.
 */

const SLAB = 16 * 1024;
/** Longer answers get memory of their own. */
const LARGE = SLAB / 4;

let slab = new Int32Array(SLAB);
let used = 0;

/**
 * @param read writes numbers into `target` from index `at` on, those from `cursor` on, and returns the
 *   index behind the last; a full `target` means that there may be more
 * @param limit the most numbers wanted
 */
export function collect(
  limit: number,
  start: number,
  read: (target: Int32Array, at: number, cursor: number) => number,
): Int32Array {
  if (used > SLAB - LARGE) {
    slab = new Int32Array(SLAB);
    used = 0;
  }
  const at = used;
  let end = read(slab, at, start);
  if (end - at >= limit) end = at + limit;
  else if (end === SLAB) return collectLarge(limit, slab.subarray(at), read);
  if (end - at > LARGE) return slab.slice(at, end);
  used = end;
  return slab.subarray(at, end);
}

/** Goes on behind the last number, in memory that doubles. */
function collectLarge(
  limit: number,
  head: Int32Array,
  read: (target: Int32Array, at: number, cursor: number) => number,
): Int32Array {
  let target = new Int32Array(8 * SLAB);
  target.set(head);
  let end = head.length;
  for (;;) {
    const last = target[end - 1] as number;
    if (last === 0x7fff_ffff) break;
    end = read(target, end, last + 1);
    if (end < target.length || end >= limit) break;
    const larger = new Int32Array(target.length * 2);
    larger.set(target);
    target = larger;
  }
  return target.slice(0, Math.min(end, limit));
}
