/** `fdmap cat PATH…`: files as they are, one behind the other. */

import { readFilesSync } from '../../index.ts';
import { UsageError } from '../arguments.ts';
import { type Command, EXIT, type ExitCode } from '../command.ts';
import { complain, writeBytes } from '../output/write.ts';

/** Files that are in memory at a time. */
const BATCH = 64;

export const command: Command = {
  synopsis: ['cat PATH…'],
  description:
    'The contents of small files, one behind the other: open, read and close of each, and no more. No size ' +
    'is asked, so that files of /proc and /sys are read as any other. A file that cannot be read is named on ' +
    'stderr, and the others go on; then the exit code is 1 if there is none such, or 3.',
  options: [],
  columns: [],
  defaults: [],

  async run(parsed): Promise<ExitCode> {
    if (parsed.operands.length === 0) throw new UsageError('cat needs a path');
    let worst: ExitCode = EXIT.found;
    for (let at = 0; at < parsed.operands.length; at += BATCH) {
      for (const { data, error } of readFilesSync(parsed.operands.slice(at, at + BATCH))) {
        if (data) {
          if (!(await writeBytes(data))) return worst;
          continue;
        }
        complain(error!.message);
        const code = error!.code === 'ENOENT' || error!.code === 'ESRCH' ? EXIT.nothing : EXIT.refused;
        worst = Math.max(worst, code) as ExitCode;
      }
    }
    return worst;
  },
};
