/** The security modules of the running kernel. */

import { readFileSync } from 'node:fs';
import type { Door } from '../../sys/door.ts';
import { errnoOf } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import { SYSCALLS } from '../../sys/uapi.gen.ts';

/** include/uapi/linux/lsm.h: LSM_ID_* */
const NAMES: Readonly<Record<number, string>> = {
  100: 'capability',
  101: 'selinux',
  102: 'smack',
  103: 'tomoyo',
  104: 'apparmor',
  105: 'yama',
  106: 'loadpin',
  107: 'safesetid',
  108: 'lockdown',
  109: 'bpf',
  110: 'landlock',
  111: 'ima',
  112: 'evm',
  113: 'ipe',
};

/**
 * Modules that have no say in PTRACE_MODE_READ: yama has one in attaching alone,
 * the rest has no hook there. (A BPF program on the hook cannot be seen from here.)
 */
const HARMLESS: ReadonlySet<string> = new Set([
  'capability',
  'lockdown',
  'yama',
  'loadpin',
  'safesetid',
  'tomoyo',
  'ima',
  'evm',
  'ipe',
  'bpf',
]);

export interface SecurityModules {
  /** By name; one that this package does not know is `module 114`. */
  readonly names: readonly string[];
  /** Which of the sources answered, for messages. */
  readonly source: 'lsm_list_modules(2)' | '/sys/kernel/security/lsm' | 'traces';
}

/** The list of 6.8's system call, else that of securityfs, else what the modules leave elsewhere. */
export function securityModules(door: Door): SecurityModules {
  const listed = listModules(door);
  if (listed) return { names: listed, source: 'lsm_list_modules(2)' };
  const file = textOf('/sys/kernel/security/lsm');
  if (file !== undefined) {
    return { names: file.trim().split(',').filter(Boolean), source: '/sys/kernel/security/lsm' };
  }
  return { names: tracesOf(), source: 'traces' };
}

/** What might refuse where the kernel's own rules allow, and no guard of ours stands in for. */
export const withoutGuard = ({ names }: SecurityModules): string[] =>
  names.filter((name) => !HARMLESS.has(name) && name !== 'landlock' && name !== 'apparmor');

function listModules(door: Door): string[] | undefined {
  const ids = new Memory(door, 64 * 8);
  const size = new Memory(door, 8);
  size.u32[0] = ids.buffer.byteLength;
  const number = SYSCALLS[process.arch as keyof typeof SYSCALLS].lsm_list_modules;
  const count = door.syscall(number, ids.address, size.address, 0);
  size.keep();
  ids.keep();
  if (count < 0) return undefined;
  return Array.from(ids.u64.subarray(0, count), (id) => NAMES[Number(id)] ?? `module ${id}`);
}

/**
 * Without a list (before 6.8, securityfs not mounted) each is assumed that has
 * left a trace; Landlock always, since its guard does no harm where it is absent.
 */
function tracesOf(): string[] {
  const fileSystems = textOf('/proc/filesystems') ?? '';
  const names = ['landlock'];
  if (/\tselinuxfs$/m.test(fileSystems)) names.push('selinux');
  if (/\tsmackfs$/m.test(fileSystems)) names.push('smack');
  if (textOf('/sys/module/apparmor/parameters/enabled')?.trim() === 'Y') names.push('apparmor');
  // Neither place can be looked into: then nothing is known.
  if (textOf('/proc/filesystems') === undefined) names.push('unknown (no /proc)');
  return names;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    errnoOf(error);
    return undefined;
  }
}
