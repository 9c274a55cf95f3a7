/** Every sub-command: a name, a line for --help and the file that is imported for it. */

import type { CommandEntry } from './command.ts';

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'ls',
    summary: 'descriptors of processes, with everything about each',
    load: () => import('./commands/ls.ts'),
  },
  {
    name: 'who',
    summary: 'who holds a file, a port, a unix socket, a descriptor',
    load: () => import('./commands/who.ts'),
  },
  {
    name: 'fds',
    summary: 'descriptor numbers of processes: fdmap(2)',
    load: () => import('./commands/fds.ts'),
  },
  {
    name: 'pids',
    summary: 'numbers of processes and threads: pidmap(2)',
    load: () => import('./commands/pids.ts'),
  },
  {
    name: 'install',
    summary: 'the calls for everybody on this machine, without privilege',
    load: () => import('./commands/install.ts'),
  },
  {
    name: 'uninstall',
    summary: 'takes them away again',
    load: () => import('./commands/uninstall.ts'),
  },
  {
    name: 'ps',
    summary: 'process status',
    load: () => import('./commands/ps.ts'),
  },
  {
    name: 'exec',
    summary: 'run a command in this process, with clean descriptors',
    load: () => import('./commands/exec.ts'),
  },
  {
    name: 'cat',
    summary: 'contents of small files, /proc and /sys included: readfileat()',
    load: () => import('./commands/cat.ts'),
  },
  {
    name: 'dump',
    summary: 'an image of descriptors and processes, for --from and diff',
    load: () => import('./commands/dump.ts'),
  },
  {
    name: 'diff',
    summary: 'what changed between two images, or every few seconds',
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'doctor',
    summary: 'what works on this machine, and why not',
    load: () => import('./commands/doctor.ts'),
  },
];

/** `fdmap` without a command. */
export const OVERVIEW: CommandEntry = {
  name: '',
  summary: 'every process, most descriptors first',
  load: () => import('./commands/overview.ts'),
};

/** `fdmap PID…`. */
export const NAMED_PIDS: CommandEntry = COMMANDS[0]!;

/** Which command the first operand means; `rest` is what is left for it. */
export function commandOf(operand: string | undefined): { entry: CommandEntry; named: boolean } | undefined {
  if (operand === undefined) return { entry: OVERVIEW, named: false };
  const entry = COMMANDS.find(({ name }) => name === operand);
  if (entry) return { entry, named: true };
  return /^\d/.test(operand) ? { entry: NAMED_PIDS, named: false } : undefined;
}
