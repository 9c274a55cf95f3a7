/** `fdmap ps`: process status. */

import { type Process, ProcessSnapshot, pidinfo } from '../../index.ts';
import { optionValue, pidOf, quote, UsageError } from '../arguments.ts';
import { chooseColumns, type FailedRow, isFailed } from '../columns/column.ts';
import { fieldsOf, PROCESS_COLUMNS, type ProcessColumn } from '../columns/processes.ts';
import { type Command, EXIT, type ExitCode, type Parsed } from '../command.ts';
import { printer } from '../output/print.ts';
import { complain } from '../output/write.ts';
import { userName } from '../users.ts';

const DEFAULTS = ['pid', 'ppid', 'user', 'state', 'nice', 'threads', 'fds', 'rss', 'userTime', 'command'];

export const command: Command = {
  synopsis: ['ps [PID…]'],
  description:
    'Status of the processes that are named, or of every process, ascending by pid. Filters exclude ' +
    'what does not match all of them.',
  options: [
    { name: 'tree', help: 'children below their parents' },
    { name: 'user', value: 'USER', help: 'those of this effective user, by name or number' },
    { name: 'command', value: 'TEXT', help: 'those whose command contains TEXT' },
    { name: 'state', value: 'LETTERS', help: 'those in one of these states: RSDTtXZPI' },
    { name: 'sort', value: 'COLUMN', help: 'by this column; --sort=-COLUMN for the greatest first' },
    { name: 'no-kthreads', help: 'without kernel threads' },
  ],
  columns: PROCESS_COLUMNS,
  defaults: DEFAULTS,

  run(parsed) {
    const columns = chooseColumns(PROCESS_COLUMNS, optionValue(parsed, 'columns'), DEFAULTS);
    const sort = sorting(optionValue(parsed, 'sort'));
    const tree = parsed.options.has('tree');
    if (tree && sort) throw new UsageError('--tree and --sort exclude each other');
    const accept = filter(parsed);
    const print = printer<Process>(parsed, { columns: treeColumns(tree), defaults: DEFAULTS });
    const named = parsed.operands.length > 0 ? parsed.operands.map(pidOf) : undefined;
    const fields = fieldsOf(sort ? [...columns, sort.column] : columns, 'ppid', 'startTime', ...FILTERED);
    let worst: ExitCode = EXIT.found;
    let rows: Process[] = [];
    const failed: FailedRow[] = [];
    for (const row of pidinfo(named, { fields })) {
      if (isFailed(row)) {
        const { code } = row.error;
        complain(
          `${row.pid}: ${code === 'ESRCH' ? 'no such process' : 'not permitted to read it'} (${code})`,
        );
        worst = Math.max(worst, code === 'EACCES' ? EXIT.refused : EXIT.nothing) as ExitCode;
        failed.push(row);
      } else if (accept(row)) rows.push(row);
    }
    if (sort) rows.sort(sort.compare);
    else if (!named) rows.sort((a, b) => a.pid - b.pid);
    if (tree) rows = asTree(rows);
    print([...rows, ...failed]);
    return rows.length > 0 || worst !== EXIT.found ? worst : EXIT.nothing;
  },
};

/** What the filters look at. */
const FILTERED = ['euid', 'command', 'state', 'kernelThread'] as const;

/** @throws UsageError */
function filter(parsed: Parsed): (row: Process) => boolean {
  const user = optionValue(parsed, 'user');
  const text = optionValue(parsed, 'command');
  const letters = optionValue(parsed, 'state');
  if (letters !== undefined && !/^[RSDTtXZPI]+$/.test(letters))
    throw new UsageError(`not states: ${quote(letters)} (letters of RSDTtXZPI)`);
  const kthreads = !parsed.options.has('no-kthreads');
  return ({ euid, command: name, state, kernelThread }) =>
    (user === undefined || String(euid) === user || (euid !== undefined && userName(euid) === user)) &&
    (text === undefined || (name ?? '').includes(text)) &&
    (letters === undefined || (state !== undefined && letters.includes(state))) &&
    (kthreads || !kernelThread);
}

/** @throws UsageError */
function sorting(word: string | undefined) {
  if (word === undefined) return undefined;
  const descending = word.startsWith('-');
  const [column] = chooseColumns(PROCESS_COLUMNS, descending ? word.slice(1) : word, []);
  const { value } = column as ProcessColumn;
  const sign = descending ? -1 : 1;
  const compare = (a: Process, b: Process) => {
    const [x, y] = [value(a), value(b)];
    // What is not known comes last in either direction.
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    const order = typeof x === 'number' ? x - (y as number) : String(x) < String(y) ? -1 : Number(x !== y);
    return sign * order || a.pid - b.pid;
  };
  return { column: column as ProcessColumn, compare };
}

/** How far a row stands to the right; in text alone. */
const indents = new WeakMap<Process, string>();

function asTree(rows: readonly Process[]): Process[] {
  const branches: boolean[] = [];
  return [...new ProcessSnapshot(rows).tree()].map(({ process, depth, last }) => {
    branches[depth] = last;
    const stems = branches.slice(1, depth).map((ended) => (ended ? '   ' : '|  '));
    indents.set(process, depth === 0 ? '' : `${stems.join('')}${last ? '`- ' : '|- '}`);
    return process;
  });
}

function treeColumns(tree: boolean): readonly ProcessColumn[] {
  if (!tree) return PROCESS_COLUMNS;
  return PROCESS_COLUMNS.map((column) => {
    if (column.name !== 'command' && column.name !== 'args') return column;
    const text = column.text ?? ((row: Process) => row.command);
    return { ...column, text: (row: Process) => `${indents.get(row) ?? ''}${text(row) ?? '-'}` };
  });
}
