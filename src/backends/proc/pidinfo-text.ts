/** Files of /proc/PID other than stat: proc_pid_status(5), proc_pid_limits(5). */

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
