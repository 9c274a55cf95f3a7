/** An aligned table. */

import { type Column, textOf } from '../columns/column.ts';
import { cut, visible, widthOf } from './terminal.ts';

export interface TableOptions {
  readonly header: boolean;
  /** Columns of the terminal; undefined elsewhere: then nothing is cut or escaped. */
  readonly width: number | undefined;
}

/** Lines, each with its end. */
export function* table<Row>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
  { header, width }: TableOptions,
): Generator<string> {
  const lines: string[][] = header ? [columns.map(({ heading }) => heading)] : [];
  for (const row of rows) lines.push(textsOf(columns, row, width !== undefined));
  const widths = columns.map(() => 0);
  // Cells that are not as wide as they are long: few, or none.
  const odd = new Map<string, number>();
  for (const line of lines) {
    for (let i = 0; i < line.length; i++) {
      const text = line[i] as string;
      const cells = columns[i]!.type === 'number' ? text.length : widthOf(text);
      if (cells !== text.length) odd.set(text, cells);
      if (cells > (widths[i] as number)) widths[i] = cells;
    }
  }
  const last = columns.length - 1;
  for (const line of lines) {
    let joined = '';
    for (let i = 0; i <= last; i++) {
      const text = line[i] as string;
      const length = (widths[i] as number) + text.length - (odd.get(text) ?? text.length);
      if (columns[i]!.align === 'right') joined += text.padStart(length);
      else joined += i === last ? text : text.padEnd(length);
      if (i !== last) joined += '  ';
    }
    yield `${fitted(joined, width)}\n`;
  }
}

function textsOf<Row>(columns: readonly Column<Row>[], row: Row, terminal: boolean): string[] {
  const texts: string[] = [];
  for (const column of columns) {
    const text = textOf(column, row);
    texts.push(terminal ? visible(text) : text);
  }
  return texts;
}

/** What does not fit on a narrow terminal is cut at the end of the line. */
function fitted(line: string, width: number | undefined): string {
  return width === undefined || widthOf(line) <= width ? line : cut(line, width);
}
