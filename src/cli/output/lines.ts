/** One record or one value a line, written as it comes. */

import { type Column, type FailedRow, textOf } from '../columns/column.ts';
import { recordText } from './record.ts';
import { visible } from './terminal.ts';

export function* jsonLines<Row extends object>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row | FailedRow>,
): Generator<string> {
  const recordOf = recordText(columns);
  for (const row of rows) yield `${recordOf(row)}\n`;
}

/** A single column, as scripts read it: no padding, no heading. */
export function* plainLines<Row>(
  column: Column<Row>,
  rows: Iterable<Row>,
  terminal: boolean,
): Generator<string> {
  for (const row of rows) {
    const text = textOf(column, row);
    yield `${terminal ? visible(text) : text}\n`;
  }
}
