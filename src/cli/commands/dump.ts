/** `fdmap dump`: an image of descriptors and processes. */

import {
  capture,
  type DumpOptions,
  dumpTo,
  type FailedProcess,
  type ForecastRow,
  forecast,
} from '../../index.ts';
import { optionValue, pidOf, UsageError } from '../arguments.ts';
import { FORECAST_COLUMNS } from '../columns/forecast.ts';
import { type Command, EXIT, type ExitCode, type Parsed } from '../command.ts';
import { printer } from '../output/print.ts';
import { byteSink, complain } from '../output/write.ts';
import { imageOf, isTerminal } from '../source.ts';

const DEFAULTS = ['pid', 'command', 'fd', 'type', 'verdict', 'options', 'reason', 'detail'];

type Target = number | readonly number[] | undefined;

export const command: Command = {
  synopsis: [
    'dump PID… [--tree] [-o FILE]',
    'dump --all [-o FILE]',
    'dump --check PID…',
    'dump --check --from FILE',
  ],
  description:
    'Writes an image: descriptors and status of the processes that are named, with --tree of everything ' +
    'below them too, or of all. Any command that lists reads it with --from FILE, on any machine. Without ' +
    '-o it goes to standard output. The file is readable by its owner alone. ' +
    'With --check nothing is written: it says for each descriptor of the tree whether criu(8) would take it, ' +
    'with which options, and why not; the exit code is 1 when one is unsupported or not known, and 3 when a ' +
    'process of the tree could not be read. With --from FILE the tree is that of an image.',
  options: [
    { name: 'output', short: 'o', value: 'FILE', help: 'where to; - is standard output' },
    { name: 'tree', help: 'the processes that are named and everything below them' },
    { name: 'all', help: 'every process' },
    { name: 'check', help: 'would criu dump take this tree? Nothing is stopped' },
    { name: 'mappings', help: 'mapped files too' },
  ],
  columns: FORECAST_COLUMNS,
  defaults: DEFAULTS,
  recorded: true,

  async run(parsed): Promise<ExitCode> {
    const all = parsed.options.has('all');
    const pids = parsed.operands.map(pidOf);
    if (all && pids.length > 0) throw new UsageError('--all and a PID exclude each other');
    const target = all ? undefined : pids.length === 1 ? pids[0] : pids;
    const recorded = parsed.options.has('from');
    if (parsed.options.has('check')) {
      for (const name of ['all', 'output', 'mappings'])
        if (parsed.options.has(name)) throw new UsageError(`--check and --${name} exclude each other`);
      if (recorded === pids.length > 0)
        throw new UsageError('--check is of PIDs, or of an image: --from FILE');
      return check(parsed, target);
    }
    if (recorded) throw new UsageError('dump makes images; --from goes with --check');
    if (!all && pids.length === 0) throw new UsageError('dump: of what? PIDs, or --all');
    return write(optionValue(parsed, 'output') ?? '-', target, {
      tree: parsed.options.has('tree'),
      mappings: parsed.options.has('mappings'),
    });
  },
};

function check(parsed: Parsed, target: Target): ExitCode {
  const print = printer<ForecastRow>(parsed, { columns: FORECAST_COLUMNS, defaults: DEFAULTS });
  const { rows, verdict, errors } = forecast(imageOf(parsed) ?? capture(target, { tree: true }));
  print(rows);
  const found = verdict === 'dumpable' || verdict === 'option' ? EXIT.found : EXIT.nothing;
  return Math.max(found, tell(errors)) as ExitCode;
}

async function write(path: string, target: Target, options: DumpOptions): Promise<ExitCode> {
  if (path === '-' && isTerminal()) throw new UsageError('an image is not for terminals: dump … -o FILE');
  const { errors } = await dumpTo(path === '-' ? byteSink() : path, target, options);
  return tell(errors);
}

/** What could not be read, a line each; the exit code for it. */
function tell(errors: readonly FailedProcess[]): ExitCode {
  let worst: ExitCode = EXIT.found;
  for (const { pid, error } of errors) {
    const gone = error.code === 'ESRCH';
    complain(`${pid}: ${gone ? 'no such process' : 'not permitted to read its descriptors'} (${error.code})`);
    worst = Math.max(worst, gone ? EXIT.nothing : EXIT.refused) as ExitCode;
  }
  return worst;
}
