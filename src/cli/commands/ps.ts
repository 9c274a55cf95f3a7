/** `fdmap ps`: process status. */

import { type Process, type ProcessField, ProcessSnapshot } from '../../index.ts';
import { optionValue, pidOf, quote, UsageError } from '../arguments.ts';
import { chooseColumns, type FailedRow, isFailed, textOf } from '../columns/column.ts';
import { fieldsOf, PROCESS_COLUMNS, type ProcessColumn } from '../columns/processes.ts';
import { type Command, EXIT, type ExitCode, type Parsed } from '../command.ts';
import { printer } from '../output/print.ts';
import { complain } from '../output/write.ts';
import { sourceOf } from '../source.ts';
import { userNumber } from '../users.ts';

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
  recorded: true,

  run(parsed) {
    const columns = chooseColumns(PROCESS_COLUMNS, optionValue(parsed, 'columns'), DEFAULTS);
    const sort = sorting(optionValue(parsed, 'sort'));
    const tree = parsed.options.has('tree');
    if (tree && sort) throw new UsageError('--tree and --sort exclude each other');
    // First: an image brings the names of its users.
    const source = sourceOf(parsed);
    const filter = filterOf(parsed);
    const print = printer<Process>(parsed, { columns: treeColumns(tree), defaults: DEFAULTS });
    const named = parsed.operands.length > 0 ? parsed.operands.map(pidOf) : undefined;
    const needed = [...filter.fields, ...(tree ? (['ppid', 'startTime'] as const) : [])];
    const fields = fieldsOf(sort ? [...columns, sort.column] : columns, ...needed);
    let worst: ExitCode = EXIT.found;
    let rows: Process[] = [];
    const failed: FailedRow[] = [];
    for (const row of source.pidinfo(named, { fields })) {
      if (isFailed(row)) {
        const { code } = row.error;
        complain(
          `${row.pid}: ${code === 'ESRCH' ? 'no such process' : 'not permitted to read it'} (${code})`,
        );
        worst = Math.max(worst, code === 'EACCES' ? EXIT.refused : EXIT.nothing) as ExitCode;
        failed.push(row);
      } else if (filter.accepts(row)) rows.push(row);
    }
    if (sort) rows.sort(sort.compare);
    else if (!named) rows.sort((a, b) => a.pid - b.pid);
    if (tree) rows = asTree(rows);
    print([...rows, ...failed]);
    return rows.length > 0 || worst !== EXIT.found ? worst : EXIT.nothing;
  },
};

interface Filter {
  /** What it looks at: nothing that no option asks for. */
  readonly fields: readonly ProcessField[];
  accepts(row: Process): boolean;
}

/** @throws UsageError */
function filterOf(parsed: Parsed): Filter {
  const fields: ProcessField[] = [];
  const tests: ((row: Process) => boolean)[] = [];
  const add = (field: ProcessField, passes: (row: Process) => boolean) => {
    fields.push(field);
    tests.push(passes);
  };
  const user = optionValue(parsed, 'user');
  if (user !== undefined) {
    const uid = userNumber(user);
    add('euid', ({ euid }) => euid === uid);
  }
  const text = optionValue(parsed, 'command');
  if (text !== undefined) add('command', ({ command: name = '' }) => name.includes(text));
  const letters = optionValue(parsed, 'state');
  if (letters !== undefined) {
    if (!/^[RSDTtXZPI]+$/.test(letters))
      throw new UsageError(`not states: ${quote(letters)} (letters of RSDTtXZPI)`);
    add('state', ({ state = '' }) => state !== '' && letters.includes(state));
  }
  if (parsed.options.has('no-kthreads')) add('kernelThread', ({ kernelThread }) => !kernelThread);
  return { fields, accepts: (row) => tests.every((passes) => passes(row)) };
}

/** @throws UsageError */
function sorting(word: string | undefined) {
  if (word === undefined) return undefined;
  const descending = word.startsWith('-');
  const [column] = chooseColumns(PROCESS_COLUMNS, descending ? word.slice(1) : word, []);
  const key = keyOf(column as ProcessColumn);
  const sign = descending ? -1 : 1;
  const compare = (a: Process, b: Process) => {
    const [x, y] = [key(a), key(b)];
    // What is not known comes last in either direction.
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    if (x === y) return a.pid - b.pid;
    return x < y ? -sign : sign;
  };
  return { column: column as ProcessColumn, compare };
}

/** What rows are compared by: of objects and lists what the table shows. */
function keyOf(column: ProcessColumn): (row: Process) => number | string | undefined {
  const ofNull = column.type === 'number' ? Number.POSITIVE_INFINITY : '';
  return (row) => {
    const value = column.value(row);
    if (value === undefined || typeof value === 'number') return value;
    if (value === null) return ofNull;
    return typeof value === 'object' ? textOf(column, row) : String(value);
  };
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
