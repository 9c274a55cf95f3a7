/** Names of users, from /etc/passwd alone: no name service is asked. */

import { readFileSync } from 'node:fs';
import { quote, UsageError } from './arguments.ts';

let names: Map<number, string> | undefined;

/** @returns undefined for a user that the file does not have */
export function userName(uid: number): string | undefined {
  names ??= read('/etc/passwd');
  return names.get(uid);
}

/**
 * The number of a user: of its name in /etc/passwd, or in digits.
 *
 * @throws UsageError
 */
export function userNumber(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  names ??= read('/etc/passwd');
  for (const [uid, name] of names) if (name === word) return uid;
  throw new UsageError(`no user ${quote(word)} in /etc/passwd`);
}

function read(path: string): Map<number, string> {
  try {
    return parsePasswd(readFileSync(path, 'utf8'));
  } catch (error) {
    // In a minimal container there is none; then users are numbers.
    if ((error as NodeJS.ErrnoException).code) return new Map();
    throw error;
  }
}

/** passwd(5); the first of several names of one user counts, as for getpwuid(3). */
export function parsePasswd(text: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (!name || !number || !/^\d+$/.test(number)) continue;
    const uid = Number(number);
    if (!found.has(uid)) found.set(uid, name);
  }
  return found;
}
