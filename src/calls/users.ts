import { readFileSync } from 'node:fs';

/** See the call of the same name in index.ts. */
export function userNames(): Map<number, string> {
  try {
    return parsePasswd(readFileSync('/etc/passwd', 'utf8'));
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
