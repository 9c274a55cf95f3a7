/** `fdmap pids`: pidmap(2) for the shell. */

import type { PidmapOptions } from '../../index.ts';
import { optionValue, pidOf, UsageError } from '../arguments.ts';
import { TASK_NUMBERS, type TaskNumber } from '../columns/numbers.ts';
import { type Command, EXIT, type Parsed } from '../command.ts';
import { printer } from '../output/print.ts';
import { sourceOf } from '../source.ts';

export const command: Command = {
  synopsis: ['pids [--tasks | --children PID | --threads PID]'],
  description: 'Numbers of processes or threads in this pid namespace, one a line, ascending.',
  options: [
    { name: 'tasks', help: 'every thread of every process' },
    { name: 'children', value: 'PID', help: 'processes whose parent is PID; 0 is fdmap itself' },
    { name: 'threads', value: 'PID', help: 'threads of the process that PID is or belongs to' },
    { name: 'no-kthreads', help: 'without kernel threads' },
  ],
  columns: TASK_NUMBERS,
  defaults: ['pid'],
  recorded: true,

  run(parsed) {
    if (parsed.operands.length > 0) throw new UsageError('pids takes no operand');
    const options = questionOf(parsed);
    const name = options.mode === 'tasks' || options.mode === 'threads' ? 'tid' : 'pid';
    const print = printer<TaskNumber>(parsed, { columns: TASK_NUMBERS, defaults: [name], bare: true });
    const numbers = sourceOf(parsed).pidmap(options);
    print(Array.from(numbers, (number) => ({ [name]: number })));
    return numbers.length > 0 ? EXIT.found : EXIT.nothing;
  },
};

const MODES = ['tasks', 'children', 'threads'] as const;

/** @throws UsageError */
function questionOf(parsed: Parsed): PidmapOptions {
  const [mode = 'processes', another] = MODES.filter((each) => parsed.options.has(each));
  if (another) throw new UsageError(`--${mode} and --${another} exclude each other`);
  const pid = optionValue(parsed, mode);
  return {
    mode,
    kthreads: !parsed.options.has('no-kthreads'),
    ...(pid !== undefined && { pid: pidOf(pid) }),
  };
}
