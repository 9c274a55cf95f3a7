/** Names of users, from /etc/passwd alone: no name service is asked. */

import { userNames } from '../index.ts';
import { quote, UsageError } from './arguments.ts';

let names: ReadonlyMap<number, string> | undefined;

/** @returns undefined for a user that the file does not have */
export function userName(uid: number): string | undefined {
  names ??= userNames();
  return names.get(uid);
}

/**
 * The number of a user: of its name in /etc/passwd, or in digits.
 *
 * @throws UsageError
 */
export function userNumber(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  names ??= userNames();
  for (const [uid, name] of names) if (name === word) return uid;
  throw new UsageError(`no user ${quote(word)} in /etc/passwd`);
}

/** Of an image: the users of the machine that it is of. */
export function useNames(users: ReadonlyMap<number, string>): void {
  names = users;
}
