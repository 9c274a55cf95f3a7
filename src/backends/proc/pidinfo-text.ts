/** Files of /proc/PID other than stat: proc_pid_status(5), proc_pid_limits(5), proc_pid_io(5). */

/** The words behind `name:` in a status file. */
export function statusWords(text: string, name: string): readonly string[] | undefined {
  const begin = text.indexOf(`\n${name}:`);
  if (begin < 0) return undefined;
  const end = text.indexOf('\n', begin + 1);
  return text
    .slice(begin + name.length + 2, end < 0 ? undefined : end)
    .trim()
    .split(/\s+/);
}

const UNLIMITED = 2n ** 64n - 1n;

/** Soft and hard "Max open files" of a limits file, as the kernel holds them. */
export function openFilesLimit(text: string): { soft: bigint; hard: bigint } | undefined {
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text);
  if (!match) return undefined;
  const value = (word: string) => (word === 'unlimited' ? UNLIMITED : BigInt(word));
  return { soft: value(match[1] as string), hard: value(match[2] as string) };
}

/** A line `name: number` of an io file. */
export function ioBytes(text: string, name: 'read_bytes' | 'write_bytes'): number {
  return Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

/** Inode number of a link below ns/: `net:[4026531840]`. */
export const namespaceInode = (link: string): number => Number(/\[(\d+)\]$/.exec(link)?.[1] ?? 0);
