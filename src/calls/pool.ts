/**
 * Where answers of unknown length are written. An Int32Array of its own costs
 * more than the system call, so short answers are views of a shared buffer, as
 * Buffer's are: a slab is handed out piece by piece and never written twice.
 */

const SLAB = 16 * 1024;
/** Longer answers get memory of their own. */
const LARGE = SLAB / 4;

/** Memory for large answers is kept up to this size, 1 MiB, and shrinks to it from beyond. */
const KEPT = 256 * 1024;

type Read = (target: Int32Array, at: number, cursor: number) => number;

/** Not zeroed: no byte of it is shown before an answer is written there. */
const newSlab = () => new Int32Array(Buffer.allocUnsafeSlow(SLAB * 4).buffer);

let slab = newSlab();
let used = 0;
/** Where large answers are gathered before their length is known; empty until the first of them. */
let gathered = new Int32Array(0);
/** The last answer was large: the next one probably is. */
let large = false;

/**
 * @param read writes numbers into `target` from index `at` on, those from `cursor` on, and returns the
 *   index behind the last; a full `target` means that there may be more
 * @param limit the most numbers wanted
 */
export function collect(limit: number, start: number, read: Read): Int32Array {
  if (large) return collectLarge(limit, 0, start, read);
  if (used > SLAB - LARGE) {
    slab = newSlab();
    used = 0;
  }
  const at = used;
  let end = read(slab, at, start);
  if (end - at >= limit) end = at + limit;
  else if (end === SLAB) {
    const length = end - at;
    if (gathered.length === 0) gathered = new Int32Array(8 * SLAB);
    gathered.set(slab.subarray(at));
    return collectLarge(limit, length, (slab[end - 1] as number) + 1, read);
  }
  if (end - at > LARGE) return slab.slice(at, end);
  used = end;
  return slab.subarray(at, end);
}

/** Goes on behind the `length` numbers gathered, in memory that doubles. */
function collectLarge(limit: number, length: number, start: number, read: Read): Int32Array {
  let end = length;
  let cursor = start;
  // numbers end at 2^31 - 1
  while (cursor <= 0x7fff_ffff) {
    end = read(gathered, end, cursor);
    if (end < gathered.length || end >= limit) break;
    const larger = new Int32Array(gathered.length * 2);
    larger.set(gathered);
    gathered = larger;
    cursor = (larger[end - 1] as number) + 1;
  }
  const answer = gathered.slice(0, Math.min(end, limit));
  large = end > LARGE;
  if (gathered.length > KEPT) gathered = new Int32Array(KEPT);
  return answer;
}
