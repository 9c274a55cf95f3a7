/** The key that identities of open files are made with: one a boot where root keeps one, else one a handle. */

import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, linkSync, openSync, readSync, unlinkSync, writeFileSync } from 'node:fs';
import { EACCES, EEXIST, ENOENT, EROFS, errnoOf } from '../../sys/errno.ts';

/** Made by `fdmap install`, readable by root alone. */
export const KEY_FILE = '/run/fdmap.key';
const KEY_BYTES = 16;

/**
 * The first 16 bytes of `path`, if it is a file of root's that nobody else can
 * read: with a key that others know, an identity tells a kernel address. In every
 * other case a random key: identities can be compared within one handle then.
 */
export function fileKeyOf(path: string): Uint8Array {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return randomBytes(KEY_BYTES);
  }
  try {
    const key = new Uint8Array(KEY_BYTES);
    const { uid, mode } = fstatSync(fd);
    const secret = uid === 0 && (mode & 0o077) === 0;
    return secret && readSync(fd, key) === KEY_BYTES ? key : randomBytes(KEY_BYTES);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes the key of this boot where there is none: in /run, which is emptied at
 * each. Whole or not at all, so that nobody reads half of one. Where /run is
 * missing or cannot be written, every handle goes on having a key of its own.
 */
export function keepFileKey(path: string): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, randomBytes(KEY_BYTES), { flag: 'wx', mode: 0o600 });
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
export const fileKeyId = (key: Uint8Array | string): string =>
  createHash('sha256').update('fdmap: id of a key\0').update(key).digest('hex').slice(0, 16);
