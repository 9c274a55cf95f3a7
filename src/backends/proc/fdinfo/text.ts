/** /proc/PID/fdinfo/N: proc_pid_fdinfo(5). */

export interface FdinfoText {
  /** `name: value` lines by name; a name that comes again is in {@link lines} alone. */
  readonly values: ReadonlyMap<string, string>;
  readonly lines: readonly string[];
}

export function parseFdinfo(text: string): FdinfoText {
  const lines = text.split('\n');
  const values = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    if (!values.has(name)) values.set(name, line.slice(colon + 1).trim());
  }
  return { values, lines };
}

export const decimal = (text: string | undefined): number | undefined =>
  text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
export const octal = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number.parseInt(text, 8);
export const hexadecimal = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number.parseInt(text, 16);
export const hexLong = (text: string): bigint => BigInt(`0x${text}`);

/** The parts of a line of `name:value` pairs, as epoll, inotify and fanotify have. */
export function pairs(line: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, value] of line.matchAll(/([a-z_-]+):\s*([0-9a-f]+)/g))
    if (!found.has(name as string)) found.set(name as string, value as string);
  return found;
}
