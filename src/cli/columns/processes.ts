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
];

/** What to ask pidinfo() for. */
export function fieldsOf(columns: readonly ProcessColumn[], ...more: ProcessField[]): ProcessField[] {
  return [...new Set([...columns.flatMap(({ fields }) => fields), ...more])];
}
