/** Names of users, from /etc/passwd alone: no name service is asked. */

import { readFileSync } from 'node:fs';

let names: Map<number, string> | undefined;

/** @returns undefined for a user that the file does not have */
export function userName(uid: number): string | undefined {
  names ??= read('/etc/passwd');
  return names.get(uid);
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
