/** The key of a boot: made once, whole, for root alone. */

import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileKeyOf, keepFileKey } from '../../src/backends/kernel/file-key.ts';
import type { Door } from '../../src/sys/door.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';

const door = nativeDoor as Door;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fdmap-key-'));
  path = join(folder, 'key');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is made once, with nothing left beside it', () => {
  keepFileKey(door, path);
  const key = readFileSync(path);
  expect(key.length).toBe(16);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  keepFileKey(door, path);
  expect(readFileSync(path)).toEqual(key);
  expect(readdirSync(folder)).toEqual(['key']);
});

it('is used where root alone can read it, and no other', () => {
  keepFileKey(door, path);
  const key = new Uint8Array(readFileSync(path));
  const isRoot = process.getuid?.() === 0;
  // A key of another owner than root is no secret of root's.
  expect(Buffer.from(fileKeyOf(door, path)).equals(key)).toBe(isRoot);
  chmodSync(path, 0o640);
  expect(Buffer.from(fileKeyOf(door, path)).equals(key)).toBe(false);
  expect(Buffer.from(fileKeyOf(door, path)).equals(fileKeyOf(door, path))).toBe(false);
});

it('where there is no directory for it, there is none', () => {
  keepFileKey(door, join(folder, 'missing', 'key'));
  expect(Buffer.from(fileKeyOf(door, join(folder, 'missing', 'key'))).length).toBe(16);
});
