/** /proc/PID/stat: proc_pid_stat(5). */

/** PF_KTHREAD of include/linux/sched.h, in the field `flags`. */
const PF_KTHREAD = 0x0020_0000;

export interface ProcessStat {
  /** Bytes as Latin-1. */
  readonly command: string;
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly tty: number;
  readonly flags: number;
  readonly kthread: boolean;
  readonly threads: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Clock ticks. */
  readonly userTime: number;
  readonly systemTime: number;
  readonly priority: number;
  readonly nice: number;
  /** Bytes. */
  readonly vsize: number;
  /** Pages. */
  readonly rss: number;
  readonly cpu: number;
  readonly policy: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
}

/** @returns undefined for text that is not a stat file */
export function parseStat(text: string): ProcessStat | undefined {
  // The command is in parentheses and may hold any byte, parentheses too: the last one ends it.
  const begin = text.indexOf('(');
  const end = text.lastIndexOf(')');
  if (begin < 0 || end < begin) return undefined;
  // The manual page counts from 1, and state is its third.
  const fields = text.slice(end + 2).split(' ');
  const number = (field: number) => Number(fields[field - 3]);
  return {
    command: text.slice(begin + 1, end),
    state: fields[0] as string,
    ppid: number(4),
    pgid: number(5),
    sid: number(6),
    tty: number(7),
    flags: number(9),
    kthread: (number(9) & PF_KTHREAD) !== 0,
    minorFaults: number(10),
    majorFaults: number(12),
    userTime: number(14),
    systemTime: number(15),
    priority: number(18),
    nice: number(19),
    threads: number(20),
    vsize: number(23),
    rss: number(24),
    cpu: number(39),
    policy: number(41),
    startTime: number(22),
  };
}
