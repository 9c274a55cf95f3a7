/** The key that identities of open files are made with: one a boot where root keeps one, else one a handle. */

import { closeSync, fstatSync, linkSync, openSync, readSync, unlinkSync, writeFileSync } from 'node:fs';
import { SystemError } from '../../errors.ts';
import { randomBytes } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { EACCES, EEXIST, ENOENT, EROFS, errnoOf } from '../../sys/errno.ts';

/** Made by `fdmap install`, readable by root alone. */
export const KEY_FILE = '/run/fdmap.key';
const KEY_BYTES = 16;

/**
 * The first 16 bytes of `path`, if it is a file of root's that nobody else can
 * read: with a key that others know, an identity tells a kernel address. In every
 * other case a random key: identities can be compared within one handle then.
 */
export function fileKeyOf(door: Door, path: string): Uint8Array {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return randomKey(door);
  }
  try {
    const key = new Uint8Array(KEY_BYTES);
    const { uid, mode } = fstatSync(fd);
    const secret = uid === 0 && (mode & 0o077) === 0;
    return secret && readSync(fd, key) === KEY_BYTES ? key : randomKey(door);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes the key of this boot where there is none: in /run, which is emptied at
 * each. Whole or not at all, so that nobody reads half of one. Where /run is
 * missing or cannot be written, every handle goes on having a key of its own.
 */
export function keepFileKey(door: Door, path: string): void {
  const draft = `${path}.${Buffer.from(randomKey(door)).toString('hex')}`;
  try {
    writeFileSync(draft, randomKey(door), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (![-ENOENT, -EROFS, -EACCES].includes(errnoOf(error))) throw error;
    return;
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    // There is one already: it stays, for the identities of this boot were made with it.
    if (errnoOf(error) !== -EEXIST) throw error;
  } finally {
    unlinkSync(draft);
  }
}

/** Tells one key from another without telling anything about it: 16 hexadecimal digits. */
export function fileKeyId(key: Uint8Array | string): string {
  // Not imported: it takes longer to load than a program, and only images have need of it.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update('fdmap: id of a key\0').update(key).digest('hex').slice(0, 16);
}

/** @throws SystemError where a seccomp filter refuses getrandom(2): a key that can be guessed is none */
export function randomKey(door: Door): Uint8Array {
  const key = randomBytes(door, KEY_BYTES);
  if (typeof key === 'number') throw new SystemError(key, 'getrandom');
  return key;
}
