/** One JSON array, a record a line, so that it can be read and compared by line too. */

import type { Column, FailedRow } from '../columns/column.ts';
import { recordText } from './record.ts';

export function* jsonArray<Row extends object>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row | FailedRow>,
): Generator<string> {
  const textOf = recordText(columns);
  let before = '[\n';
  for (const row of rows) {
    yield before + textOf(row);
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
