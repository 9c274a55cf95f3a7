/** When two rows of two images are of one descriptor: never by its number alone. */

import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import type { Chunk } from '../../abi/fdinfo/record.ts';
import * as abi from '../../abi/layout.gen.ts';
import type { Image } from './image.ts';

/** May `fileId`s of both be compared? */
export const shareKey = (before: Image, after: Image): boolean =>
  before.about.keyId !== undefined && before.about.keyId === after.about.keyId && sameBoot(before, after);

/** Pids and start times mean something within one run of one machine alone. */
export const sameBoot = (before: Image, after: Image): boolean =>
  before.about.bootId === after.about.bootId && before.about.host === after.about.host;

/** Were the same processes asked for, in whatever order? */
export function sameTarget(before: Image, after: Image): boolean {
  const [one, other] = [before.about.pids, after.about.pids].map((pids) => pids && [...new Set(pids)].sort());
  return one?.join() === other?.join();
}

const SAME_FILE = [
  abi.FDINFO_RECORD_TYPE,
  abi.FDINFO_RECORD_DEV,
  abi.FDINFO_RECORD_INODE,
  abi.FDINFO_RECORD_INODE + 4,
];

/** Type, device and inode. */
function sameInode(a: Descriptor, b: Descriptor): boolean {
  return SAME_FILE.every((offset) => a.chunk.word(a.at + offset) === b.chunk.word(b.at + offset));
}

const hasId = (row: Descriptor) => row.has(abi.FDINFO_HAS_FILE_ID);

export function sameFile(a: Descriptor, b: Descriptor, byId: boolean): boolean {
  if (!sameInode(a, b)) return false;
  if (byId && hasId(a) && hasId(b)) {
    const [x, y] = [a.at + abi.FDINFO_RECORD_FILE_ID, b.at + abi.FDINFO_RECORD_FILE_ID];
    return a.chunk.word(x) === b.chunk.word(y) && a.chunk.word(x + 4) === b.chunk.word(y + 4);
  }
  return a.fd === b.fd && sameBytes(a.pathBytes, b.pathBytes);
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (!a || !b) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Words of a record that say nothing of the descriptor, or what the identity has been made of. */
const IGNORED = new Set([
  abi.FDINFO_RECORD_FILE_ID >> 2,
  (abi.FDINFO_RECORD_FILE_ID >> 2) + 1,
  abi.FDINFO_RECORD_TABLE >> 2,
  (abi.FDINFO_RECORD_TABLE >> 2) + 1,
  abi.FDINFO_RECORD_POS >> 2,
  (abi.FDINFO_RECORD_POS >> 2) + 1,
]);
const FIXED_WORDS = Array.from({ length: abi.SIZEOF_FDINFO_RECORD >> 2 }, (_, i) => i).filter(
  (word) => !IGNORED.has(word),
);

const followed = (chunk: Chunk, at: number) => {
  const next = at + chunk.size(at);
  return next < chunk.u8.length && chunk.kind(next) === abi.FDINFO_KIND_MORE;
};

/** Are the records equal but for the position? Then nothing needs to be decoded. */
export function sameRecord(a: Descriptor, b: Descriptor): boolean {
  const size = a.chunk.size(a.at);
  if (size !== b.chunk.size(b.at) || a.chunk.origin.arch !== b.chunk.origin.arch) return false;
  if (followed(a.chunk, a.at) || followed(b.chunk, b.at)) return false;
  const [left, right] = [a.chunk.u32, b.chunk.u32];
  const [i, j] = [a.at >> 2, b.at >> 2];
  for (const word of FIXED_WORDS) if (left[i + word] !== right[j + word]) return false;
  for (let word = abi.SIZEOF_FDINFO_RECORD >> 2; word < size >> 2; word++)
    if (left[i + word] !== right[j + word]) return false;
  return true;
}
