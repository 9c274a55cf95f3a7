/** /proc/PID/stat: proc_pid_stat(5). */

/** PF_KTHREAD of include/linux/sched.h, in the field `flags`. */
const PF_KTHREAD = 0x0020_0000;

export interface ProcessStat {
  readonly ppid: number;
  readonly kthread: boolean;
}

/** @returns undefined for text that is not a stat file */
export function parseStat(text: string): ProcessStat | undefined {
  // The command is in parentheses and may hold any byte, parentheses too: the last one ends it.
  const end = text.lastIndexOf(')');
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(' ');
  return { ppid: Number(fields[1]), kthread: (Number(fields[6]) & PF_KTHREAD) !== 0 };
}
