/** One JSON array, a record a line, so that it can be read and compared by line too. */

import { type Column, type FailedRow, recordOf } from '../columns/column.ts';

export function* jsonArray<Row extends object>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row | FailedRow>,
): Generator<string> {
  let before = '[\n';
  for (const row of rows) {
    yield before + JSON.stringify(recordOf(columns, row));
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
