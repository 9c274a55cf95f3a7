/** `fdmap`: every process, most descriptors first. */

import type { Process } from '../../index.ts';
import { optionValue } from '../arguments.ts';
import { chooseColumns } from '../columns/column.ts';
import { fieldsOf, PROCESS_COLUMNS } from '../columns/processes.ts';
import { type Command, EXIT } from '../command.ts';
import { printer } from '../output/print.ts';
import { sourceOf } from '../source.ts';

const DEFAULTS = ['pid', 'user', 'fds', 'fdLimit', 'fdUse', 'files', 'sockets', 'pipes', 'other', 'command'];

export const command: Command = {
  synopsis: [''],
  description:
    'Every process that is visible here, those with the most descriptors first: how many it has open, ' +
    'how many it may have, how near it is to that limit, and of which kinds they are.',
  options: [{ name: 'no-kthreads', help: 'without kernel threads' }],
  columns: PROCESS_COLUMNS,
  defaults: DEFAULTS,
  recorded: true,

  run(parsed) {
    const columns = chooseColumns(PROCESS_COLUMNS, optionValue(parsed, 'columns'), DEFAULTS);
    const print = printer<Process>(parsed, { columns: PROCESS_COLUMNS, defaults: DEFAULTS });
    const source = sourceOf(parsed);
    const withoutKthreads = parsed.options.has('no-kthreads');
    const fields = fieldsOf(columns, 'fds', ...(withoutKthreads ? (['kernelThread'] as const) : []));
    // What is not shown is not asked for: for the kinds the kernel looks at every descriptor.
    let rows = source.pidinfo(undefined, { fields }).toArray();
    if (withoutKthreads) rows = rows.filter(({ kernelThread }) => !kernelThread);
    rows.sort(byDescriptors);
    print(rows);
    return rows.length > 0 ? EXIT.found : EXIT.nothing;
  },
};

/** Most first; what is not known last; the same number in the order of pids. */
function byDescriptors(a: Process, b: Process): number {
  return (b.fds ?? -1) - (a.fds ?? -1) || a.pid - b.pid;
}
