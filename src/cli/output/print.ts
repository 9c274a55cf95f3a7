/** Rows in the format that the command line asks for. */

import { optionValue, UsageError } from '../arguments.ts';
import { type Column, chooseColumns, type FailedRow, isFailed } from '../columns/column.ts';
import type { Parsed } from '../command.ts';
import { jsonArray } from './json.ts';
import { jsonLines, plainLines } from './lines.ts';
import { table } from './table.ts';
import { terminalWidth, write } from './write.ts';

export type Format = 'text' | 'json' | 'jsonl';

/** @throws UsageError */
export function formatOf({ options }: Parsed): Format {
  const json = options.has('json');
  const jsonl = options.has('jsonl');
  if (json && jsonl) throw new UsageError('--json and --jsonl exclude each other');
  return json ? 'json' : jsonl ? 'jsonl' : 'text';
}

export interface Printing<Row> {
  readonly columns: readonly Column<Row>[];
  readonly defaults: readonly string[];
  /** Numbers for scripts: no headings unless -o asks for columns. */
  readonly bare?: boolean;
}

/** A function that prints rows; what is wrong with the options is said before anything is asked. */
export function printer<Row extends object>(
  parsed: Parsed,
  { columns, defaults, bare = false }: Printing<Row>,
): (rows: Iterable<Row | FailedRow>) => void {
  const format = formatOf(parsed);
  const names = optionValue(parsed, 'columns');
  const chosen = chooseColumns(columns, names, defaults);
  return (rows) => {
    if (format === 'json') return write(jsonArray(chosen, rows));
    if (format === 'jsonl') return write(jsonLines(chosen, rows));
    const width = terminalWidth();
    const header = !parsed.options.has('no-header') && !(bare && names === undefined);
    // Failed rows are told on stderr, by whoever made them.
    const shown = readable(rows);
    if (chosen.length === 1 && !header) return write(plainLines(chosen[0]!, shown, width !== undefined));
    write(table(chosen, shown, { header, width }));
  };
}

function* readable<Row extends object>(rows: Iterable<Row | FailedRow>): Generator<Row> {
  for (const row of rows) if (!isFailed(row)) yield row;
}
