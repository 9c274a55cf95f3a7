/** `fdmap dump`: an image of descriptors and processes. */

import { capture, dump, dumpTo, type ForecastRow, forecast } from '../../index.ts';
import { optionValue, pidOf, UsageError } from '../arguments.ts';
import { FORECAST_COLUMNS } from '../columns/forecast.ts';
import { type Command, EXIT, type ExitCode } from '../command.ts';
import { printer } from '../output/print.ts';
import { complain, writeBytes } from '../output/write.ts';
import { isTerminal } from '../source.ts';

const DEFAULTS = ['pid', 'command', 'fd', 'type', 'verdict', 'options', 'reason', 'detail'];

export const command: Command = {
  synopsis: ['dump PID… [--tree] [-o FILE]', 'dump --all [-o FILE]', 'dump --check PID…'],
  description:
    'Writes an image: descriptors and status of the processes that are named, with --tree of everything ' +
    'below them too, or of all. Any command that lists reads it with --from FILE, on any machine. Without ' +
    '-o it goes to standard output. The file is readable by its owner alone. ' +
    'With --check nothing is written: it says for each descriptor of the tree whether criu(8) would take it, ' +
    'with which options, and why not; the exit code is 1 when one is unsupported or not known.',
  options: [
    { name: 'output', short: 'o', value: 'FILE', help: 'where to; - is standard output' },
    { name: 'tree', help: 'the processes that are named and everything below them' },
    { name: 'all', help: 'every process' },
    { name: 'check', help: 'would criu dump take this tree? Nothing is stopped' },
    { name: 'mappings', help: 'mapped files too' },
  ],
  columns: FORECAST_COLUMNS,
  defaults: DEFAULTS,

  async run(parsed): Promise<ExitCode> {
    const all = parsed.options.has('all');
    const pids = parsed.operands.map(pidOf);
    if (all && pids.length > 0) throw new UsageError('--all and a PID exclude each other');
    if (!all && pids.length === 0) throw new UsageError('dump: of what? PIDs, or --all');
    const options = { tree: parsed.options.has('tree'), mappings: parsed.options.has('mappings') };
    const target = all ? undefined : pids.length === 1 ? pids[0] : pids;
    if (parsed.options.has('check')) {
      if (all) throw new UsageError('--check is of a tree: dump --check PID');
      const print = printer<ForecastRow>(parsed, { columns: FORECAST_COLUMNS, defaults: DEFAULTS });
      const { rows, verdict } = forecast(capture(target, { tree: true }));
      print(rows);
      return verdict === 'dumpable' || verdict === 'option' ? EXIT.found : EXIT.nothing;
    }
    const path = optionValue(parsed, 'output') ?? '-';
    if (path === '-') {
      if (isTerminal()) throw new UsageError('an image is not for terminals: dump … -o FILE');
      for await (const piece of dump(target, options)) if (!writeBytes(piece)) break;
      return EXIT.found;
    }
    const { errors } = await dumpTo(path, target, options);
    let worst: ExitCode = EXIT.found;
    for (const { pid, error } of errors) {
      const gone = error.code === 'ESRCH';
      complain(
        `${pid}: ${gone ? 'no such process' : 'not permitted to read its descriptors'} (${error.code})`,
      );
      worst = Math.max(worst, gone ? EXIT.nothing : EXIT.refused) as ExitCode;
    }
    return worst;
  },
};
