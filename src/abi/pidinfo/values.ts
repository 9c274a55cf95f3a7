/** Values of a record in the form that users know from ps(1) and proc(5), and back again. */

/** The letters of get_task_state() in fs/proc/array.c, by the highest bit of TASK_REPORT that is set. */
const STATES = 'RSDTtXZPI';

// include/linux/sched.h
const TASK_REPORT = 0x7f;
const TASK_IDLE = 0x402;
const TASK_RTLOCK_WAIT = 0x1000;
const TASK_FROZEN = 0x8000;

/** The letter of `__state | exit_state`: __task_state_index(). */
export function stateLetter(state: number): string {
  if ((state & TASK_IDLE) === TASK_IDLE) return 'I';
  if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN)) return 'D';
  return STATES[32 - Math.clz32(state & TASK_REPORT)] as string;
}

/** A word of state that has this letter. */
export function stateOf(letter: string): number {
  const index = STATES.indexOf(letter);
  return letter === 'I' ? TASK_IDLE : index <= 0 ? 0 : 1 << (index - 1);
}

/** USER_HZ is 100 everywhere, whatever the kernel's own tick. */
const TICK_MS = 10;

/** Nanoseconds as milliseconds in steps of a clock tick, as nsec_to_clock_t() rounds. */
export const ticks = (ns: number): number => Math.floor(ns / (TICK_MS * 1e6)) * TICK_MS;

const TTY_MAJOR = 4;
const TTYAUX_MAJOR = 5;
const UNIX98_PTY_SLAVE_MAJOR = 136;
const SERIALS = 64;

/** Major and minor of a number as new_encode_dev() writes it. */
export const devNumbers = (dev: number): { major: number; minor: number } => ({
  major: (dev >>> 8) & 0xfff,
  minor: (dev & 0xff) | ((dev >>> 12) & 0xfff00),
});

/** Name of a terminal below /dev, or its numbers where the kernel's list of devices has no fixed name. */
export function ttyName(dev: number): string | null {
  if (dev === 0) return null;
  const { major, minor } = devNumbers(dev);
  if (major >= UNIX98_PTY_SLAVE_MAJOR && major < UNIX98_PTY_SLAVE_MAJOR + 8)
    return `pts/${(major - UNIX98_PTY_SLAVE_MAJOR) * 0x100000 + minor}`;
  if (major === TTY_MAJOR) return minor < SERIALS ? `tty${minor}` : `ttyS${minor - SERIALS}`;
  if (major === TTYAUX_MAJOR) return minor === 0 ? 'tty' : minor === 1 ? 'console' : `${major}:${minor}`;
  if (major === 229) return `hvc${minor}`;
  return `${major}:${minor}`;
}

/** Capabilities as CapEff in /proc/PID/status has them. */
export const capabilities = (low: number, high: number): string =>
  high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');

/** RLIM_INFINITY is all ones. */
export const limit = (value: number): number => (value >= 2 ** 63 ? Number.POSITIVE_INFINITY : value);

/** Names of SCHED_* in include/uapi/linux/sched.h, as chrt(1) prints them. */
const POLICIES = ['other', 'fifo', 'rr', 'batch', 'iso', 'idle', 'deadline', 'ext'];

export const policyName = (policy: number): string => POLICIES[policy] ?? String(policy);

/** What a process used, in ns: struct pidinfo_times. */
export interface CpuTimes {
  readonly utime: number;
  readonly stime: number;
  readonly runtime: number;
  readonly prevUtime: number;
  readonly prevStime: number;
}

/**
 * User and system time as /proc prints them: cputime_adjust() of
 * kernel/sched/cputime.c. Ticks only tell how the exact running time is to be
 * shared out, and neither part ever becomes less than it was shown before.
 */
export function adjustedTimes(times: CpuTimes): { utime: number; stime: number } {
  const { runtime, prevUtime, prevStime } = times;
  if (prevStime + prevUtime >= runtime) return { utime: prevUtime, stime: prevStime };
  let stime = times.stime;
  let utime = times.utime;
  if (stime === 0) utime = runtime;
  else if (utime === 0) stime = runtime;
  else stime = Math.min(share(stime, runtime, stime + utime), runtime);
  if (stime < prevStime) stime = prevStime;
  utime = runtime - stime;
  if (utime < prevUtime) {
    utime = prevUtime;
    stime = runtime - utime;
  }
  return { utime, stime };
}

/** floor(a * b / c). A double is off by less than 2^-51 of it; near a whole tick that would tell. */
function share(a: number, b: number, c: number): number {
  const quotient = a * (b / c);
  const beyond = quotient % (TICK_MS * 1e6);
  const doubt = quotient * 2 ** -50 + 2;
  if (beyond > doubt && TICK_MS * 1e6 - beyond > doubt) return Math.floor(quotient);
  return Number((BigInt(a) * BigInt(b)) / BigInt(c));
}
