import type { Runner } from '../../sys/bpf.ts';
import { EAGAIN, EBUSY, ENOMEM } from '../../sys/errno.ts';

/**
 * EBUSY: every slot of the program is taken by other callers for a few
 * microseconds. EAGAIN: the table was replaced while it was copied, four times
 * in a row. ENOMEM: the storage of this thread was not to be had, because another
 * thread was interrupted on this CPU while it took its own (preempt=full). All pass
 * by themselves; this many in a row is a fault to report.
 */
const ATTEMPTS = 10_000;
const PASSING: ReadonlySet<number> = new Set([-EBUSY, -EAGAIN, -ENOMEM]);

/**
 * Runs a program until it answers, and returns the errno that it wrote at word `error`.
 *
 * @param ask writes the question, where an answer overwrites it
 */
export function runUntilAnswered(runner: Runner, error: number, ask?: () => void): number {
  for (let i = 1; ; i++) {
    ask?.();
    const result = runner.run();
    if (result < 0) return result;
    const verdict = runner.context.i32[error] as number;
    if (!PASSING.has(verdict) || i === ATTEMPTS) return verdict;
  }
}
