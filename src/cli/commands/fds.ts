/** `fdmap fds [PID…]`: fdmap(2) for the shell. */

import { SystemError } from '../../index.ts';
import { pidOf } from '../arguments.ts';
import type { FailedRow } from '../columns/column.ts';
import { DESCRIPTOR_NUMBERS, type DescriptorNumber } from '../columns/numbers.ts';
import { type Command, EXIT, type ExitCode } from '../command.ts';
import { exitCodeOf, messageOf } from '../errors.ts';
import { formatOf, printer } from '../output/print.ts';
import { complain } from '../output/write.ts';
import { type Source, sourceOf } from '../source.ts';

export const command: Command = {
  synopsis: ['fds [PID…]'],
  description:
    'The open descriptors of each process or thread, one number a line, ascending. Without PID, and ' +
    'for PID 0, those of fdmap itself; from an image those of every process. In JSON each number comes with its pid.',
  options: [],
  columns: DESCRIPTOR_NUMBERS,
  defaults: ['fd'],
  recorded: true,

  run(parsed) {
    const source = sourceOf(parsed);
    const everybody = parsed.options.has('from') && parsed.operands.length === 0;
    const named = parsed.operands.length > 0 ? parsed.operands.map(pidOf) : [0];
    const pids = everybody ? [...source.pidmap()] : named;
    const print = printer<DescriptorNumber>(parsed, {
      columns: DESCRIPTOR_NUMBERS,
      defaults: formatOf(parsed) === 'text' && !everybody ? ['fd'] : ['pid', 'fd'],
      bare: !everybody,
    });
    let worst: ExitCode = EXIT.found;
    let found = false;

    function* rows(): Generator<DescriptorNumber | FailedRow> {
      for (const pid of pids) {
        const answer = numbers(source, pid);
        if (answer instanceof SystemError) {
          // Of everybody those who are hidden are left out, as fdmap ls does.
          if (everybody) continue;
          complain(messageOf(answer));
          worst = Math.max(worst, exitCodeOf(answer)) as ExitCode;
          yield { pid, error: { code: answer.code, syscall: answer.syscall } };
          continue;
        }
        found ||= answer.length > 0;
        for (const fd of answer) yield { pid, fd };
      }
    }

    print(rows());
    return found || worst !== EXIT.found ? worst : EXIT.nothing;
  },
};

/** A process that was named may have gone, or be another's: that is its row, not the end of the others. */
function numbers(source: Source, pid: number): Int32Array | SystemError {
  try {
    return source.fdmap(pid);
  } catch (error) {
    if (error instanceof SystemError && error.pid !== undefined) return error;
    throw error;
  }
}
