/** What a process hands on to the program that it becomes: limits, dispositions of signals, arguments. */

import { constants } from 'node:os';
import type { Door } from './door.ts';
import { Memory } from './memory.ts';
import { SYSCALLS } from './uapi.gen.ts';

const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];
const RLIMIT_NOFILE = 7;
/** struct sigaction of the kernel: handler, flags, restorer, mask; all zero is SIG_DFL. */
const SIGACTION_BYTES = 32;
const SIGSET_BYTES = 8;

/** Soft and hard RLIMIT_NOFILE of a process, 0 for this one; a negative errno where it may not be asked. */
export function limitsOf(door: Door, pid: number): { soft: bigint; hard: bigint } | number {
  const limits = new Memory(door, 16);
  const result = door.syscall(numbers.prlimit64, pid, RLIMIT_NOFILE, 0, limits.address);
  limits.keep();
  return result < 0 ? result : { soft: limits.u64[0]!, hard: limits.u64[1]! };
}

/** Sets RLIMIT_NOFILE of this process: 0 or a negative errno. */
export function setLimits(door: Door, { soft, hard }: { soft: bigint; hard: bigint }): number {
  const limits = new Memory(door, 16);
  limits.u64[0] = soft;
  limits.u64[1] = hard;
  const result = door.syscall(numbers.prlimit64, 0, RLIMIT_NOFILE, limits.address);
  limits.keep();
  return result;
}

/** Node ignores these at start (PlatformInit() in node.cc), and an ignored signal stays so over an exec. */
const IGNORED_BY_NODE = [constants.signals.SIGPIPE, constants.signals.SIGXFSZ];

/** Sets them to their default, and returns what puts them back. */
export function defaultSignals(door: Door): () => void {
  const set = (signal: number, action: Memory, old: Memory | undefined) => {
    door.syscall(numbers.rt_sigaction, signal, action.address, old?.address ?? 0, SIGSET_BYTES);
    action.keep();
  };
  const before = IGNORED_BY_NODE.map((signal) => {
    const old = new Memory(door, SIGACTION_BYTES);
    set(signal, new Memory(door, SIGACTION_BYTES), old);
    return { signal, old };
  });
  return () => {
    for (const { signal, old } of before) set(signal, old, undefined);
  };
}

/** execve(2): returns only when it failed, a negative errno. */
export function execve(
  door: Door,
  path: Uint8Array,
  args: readonly Uint8Array[],
  env: readonly Uint8Array[],
): number {
  const file = cString(door, path);
  const argv = vector(door, args);
  const envp = vector(door, env);
  const result = door.syscall(numbers.execve, file.address, argv.address, envp.address);
  file.keep();
  argv.keep();
  envp.keep();
  return result;
}

const cString = (door: Door, bytes: Uint8Array) => Memory.of(door, Buffer.concat([bytes, Buffer.of(0)]));

/** A NULL-terminated array of pointers to strings. */
function vector(door: Door, strings: readonly Uint8Array[]): Memory {
  const pointers = new Memory(door, 8 * (strings.length + 1));
  for (const [i, bytes] of strings.entries()) pointers.setPointer(8 * i, cString(door, bytes));
  return pointers;
}
