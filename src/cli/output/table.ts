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
  const show = width === undefined ? (text: string) => text : visible;
  const lines: string[][] = header ? [columns.map(({ heading }) => heading)] : [];
  for (const row of rows) lines.push(columns.map((column) => show(textOf(column, row))));
  const widths = columns.map((_, i) =>
    lines.reduce((most, line) => Math.max(most, widthOf(line[i] as string)), 0),
  );
  const last = columns.length - 1;
  for (const line of lines) {
    const cells = line.map((text, i) => {
      const padding = ' '.repeat((widths[i] as number) - widthOf(text));
      if (columns[i]!.align === 'right') return padding + text;
      return i === last ? text : text + padding;
    });
    yield `${fitted(cells, width)}\n`;
  }
}

/** The last column is what gives way on a narrow terminal, and then the line as a whole. */
function fitted(cells: readonly string[], width: number | undefined): string {
  const line = cells.join('  ');
  return width === undefined || widthOf(line) <= width ? line : cut(line, width);
}
