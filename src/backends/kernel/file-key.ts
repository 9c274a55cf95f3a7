/** The key that identities of open files are made with: one a boot where root keeps one, else one a handle. */

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Written by `fdmap install`, readable by root alone. */
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
