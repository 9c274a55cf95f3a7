/** `fdmap uninstall`: takes away what `fdmap install` made. */

import { uninstall } from '../../index.ts';
import { optionValue, UsageError } from '../arguments.ts';
import { type Command, EXIT } from '../command.ts';
import { formatOf } from '../output/print.ts';
import { line } from '../output/report.ts';
import { write } from '../output/write.ts';

export const command: Command = {
  synopsis: ['uninstall [--at DIR]'],
  description:
    'Removes the pinned calls, and the file system and the directory if the installation made them. ' +
    'Processes that have opened the calls go on with what they have.',
  options: [{ name: 'at', value: 'DIR', help: 'where: default /run/fdmap (FDMAP_BPFFS)' }],
  columns: [],
  defaults: [],

  async run(parsed) {
    if (parsed.operands.length > 0) throw new UsageError('uninstall takes no operand');
    const report = await uninstall({ at: optionValue(parsed, 'at') });
    const format = formatOf(parsed);
    if (format !== 'text') write([`${JSON.stringify(report, null, format === 'json' ? 2 : undefined)}\n`]);
    else write([line('uninstalled', report.directory + (report.unmounted ? ', unmounted' : ''))]);
    return EXIT.found;
  },
};
