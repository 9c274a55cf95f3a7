/** Columns of processes: the overview, and whatever shows process status. */

import type { Process, ProcessField } from '../../index.ts';
import { userName } from '../users.ts';
import { type Column, member } from './column.ts';

/** A column, and the fields of pidinfo() that it needs: what is not shown is not asked for. */
export interface ProcessColumn extends Column<Process> {
  readonly fields: readonly ProcessField[];
}

function field(
  name: ProcessField,
  type: Column<Process>['type'],
  help: string,
  more: Partial<Pick<ProcessColumn, 'heading' | 'align' | 'text'>> = {},
): ProcessColumn {
  return { ...member<Process>(name, type, help, more), fields: [name] };
}

/** As ps(1) has it: the effective user. */
const userOf = ({ euid }: Process) => (euid === undefined ? undefined : (userName(euid) ?? String(euid)));

const percent = ({ fdUse }: Process) => (fdUse === undefined ? undefined : (100 * fdUse).toFixed(1));

/** RLIM_INFINITY has no number in JSON: there it is null. */
const limitOf = (name: 'fdLimit' | 'fdLimitMax') => ({
  value: (row: Process) => (row[name] === Number.POSITIVE_INFINITY ? null : row[name]),
  text: (row: Process) => (row[name] === Number.POSITIVE_INFINITY ? 'unlimited' : row[name]?.toString()),
});

/** Arguments with blanks between them; kernel threads in brackets, as ps(1) has them. */
const commandLine = ({ args, command }: Process) =>
  args === undefined ? undefined : args.length > 0 ? args.join(' ') : `[${command ?? ''}]`;

/** 1:02:03.40, without the hours where there are none. */
const duration = (name: 'userTime' | 'systemTime') => (row: Process) => {
  const ms = row[name];
  if (ms === undefined) return undefined;
  const seconds = ((ms / 1000) % 60).toFixed(2).padStart(5, '0');
  const minutes = Math.floor(ms / 60_000) % 60;
  const hours = Math.floor(ms / 3_600_000);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
};

export const PROCESS_COLUMNS: readonly ProcessColumn[] = [
  field('pid', 'number', 'process'),
  {
    name: 'user',
    heading: 'USER',
    align: 'left',
    type: 'string',
    help: 'effective user: its name in /etc/passwd, else its number',
    value: userOf,
    fields: ['euid'],
  },
  field('fds', 'number', 'open descriptors'),
  {
    ...field('fdLimit', 'number', 'soft limit of descriptors (RLIMIT_NOFILE)', { heading: 'LIMIT' }),
    ...limitOf('fdLimit'),
  },
  field('fdUse', 'number', 'fds / fdLimit: 0 to 1 in JSON, in percent as text', {
    heading: 'USE%',
    text: percent,
  }),
  field('files', 'number', 'of its descriptors those of files, directories and devices'),
  field('sockets', 'number', 'of sockets'),
  field('pipes', 'number', 'of pipes and FIFOs'),
  field('other', 'number', 'of anything else'),
  field('command', 'string', 'name of the command, at most 15 bytes'),
  field('ppid', 'number', 'parent'),
  field('pgid', 'number', 'process group'),
  field('sid', 'number', 'session'),
  field('tty', 'string', 'controlling terminal, null without one'),
  field('state', 'string', 'one letter, as in ps(1)'),
  field('threads', 'number', 'threads'),
  field('uid', 'number', 'real user'),
  field('euid', 'number', 'effective user'),
  field('suid', 'number', 'saved user'),
  field('fsuid', 'number', 'file-system user'),
  field('gid', 'number', 'real group'),
  field('egid', 'number', 'effective group'),
  field('sgid', 'number', 'saved group'),
  field('fsgid', 'number', 'file-system group'),
  field('capEff', 'string', 'effective capabilities, hexadecimal'),
  field('startTime', 'number', 'start, in ms since boot'),
  {
    ...field('fdLimitMax', 'number', 'hard limit of descriptors'),
    ...limitOf('fdLimitMax'),
  },
  field('fdTable', 'number', 'slots of the descriptor table'),
  field('kernelThread', 'boolean', 'whether it is a kernel thread'),
  field('args', 'array', 'command line, from /proc/PID/cmdline', { text: commandLine }),
  field('started', 'string', 'start, ISO 8601'),
  field('userTime', 'number', 'user time of all threads, ms', { text: duration('userTime') }),
  field('systemTime', 'number', 'system time of all threads, ms', { text: duration('systemTime') }),
  field('vsize', 'number', 'virtual size, bytes'),
  field('rss', 'number', 'resident set, bytes'),
  field('shared', 'number', 'of it file mappings and shared memory, bytes'),
  field('minorFaults', 'number', 'page faults without reading from storage'),
  field('majorFaults', 'number', 'page faults with reading from storage'),
  field('readBytes', 'number', 'bytes that storage was read for'),
  field('writeBytes', 'number', 'bytes that storage was written for'),
  field('priority', 'number', 'as in proc_pid_stat(5)'),
  field('nice', 'number', '-20 to 19'),
  field('policy', 'string', 'scheduling policy: other, fifo, rr, batch, idle, deadline, ext'),
  field('cpu', 'number', 'CPU that it ran on last'),
  field('oomScoreAdj', 'number', '-1000 to 1000'),
  field('cgroup', 'string', 'path of its cgroup v2'),
  field('cgroupId', 'number', 'inode of the cgroup v2 directory'),
  field('cgroups', 'object', 'paths in hierarchies of cgroup v1, by controllers; proc alone'),
  field('exe', 'object', 'file that it runs: path, dev, inode', { text: ({ exe }) => exe?.path }),
  field('namespaces', 'object', 'inodes by name'),
];

/** What to ask pidinfo() for. */
export function fieldsOf(columns: readonly ProcessColumn[], ...more: ProcessField[]): ProcessField[] {
  return [...new Set([...columns.flatMap(({ fields }) => fields), ...more])];
}
