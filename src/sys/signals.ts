/** Signals of this thread held back for a moment. */

import type { Door } from './door.ts';
import { Memory } from './memory.ts';
import { SYSCALLS } from './uapi.gen.ts';

const SIG_SETMASK = 2;
/** sigset_t of the kernel: 64 signals. */
const SIGSET_BYTES = 8;

const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];

/**
 * Runs `action` with every signal blocked that can be; what comes meanwhile is delivered
 * at its end. For system calls that give up when a signal is pending.
 */
export function withSignalsBlocked<T>(door: Door, action: () => T): T {
  const all = new Memory(door, SIGSET_BYTES);
  const before = new Memory(door, SIGSET_BYTES);
  all.u8.fill(0xff);
  const set = (mask: Memory, old: number) =>
    door.syscall(numbers.rt_sigprocmask, SIG_SETMASK, mask.address, old, SIGSET_BYTES);
  if (set(all, before.address) < 0) return action();
  all.keep();
  try {
    return action();
  } finally {
    set(before, 0);
    before.keep();
  }
}
