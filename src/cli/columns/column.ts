/** One description of a column serves text, JSON, --help and docs/cli.md. */

import { quote, UsageError } from '../arguments.ts';

export interface Column<Row> {
  /** Name of the JSON member and of the column in -o. Scripts rely on it. */
  readonly name: string;
  readonly heading: string;
  readonly align: 'left' | 'right';
  /** JSON type of the value. */
  readonly type: 'number' | 'string' | 'boolean' | 'array' | 'object';
  readonly help: string;
  /** The JSON value; undefined is "not known": no member in JSON, `-` in text. */
  value(row: Row): unknown;
  /** The value is this member, which all rows of a class have by a getter of the class, or none has. */
  readonly getter?: string | undefined;
  /** Where the text is not simply the value. */
  text?(row: Row): string | undefined;
}

/** A column of whatever rows: for --help and docs. */
export type AnyColumn = Omit<Column<never>, 'value' | 'text' | 'getter'>;

/** What could not be read, in place of a record. */
export interface FailedRow {
  readonly pid: number;
  readonly error: { readonly code: string; readonly syscall: string };
}

export const isFailed = (row: object): row is FailedRow => 'error' in row;

/** A column whose value is the row's member of the same name. */
export function member<Row>(
  name: keyof Row & string,
  type: Column<Row>['type'],
  help: string,
  more: Partial<Pick<Column<Row>, 'heading' | 'align' | 'text'>> = {},
): Column<Row> {
  return {
    name,
    heading: name.toUpperCase(),
    align: type === 'number' ? 'right' : 'left',
    type,
    help,
    value: (row) => row[name],
    ...more,
  };
}

/**
 * The columns that `-o a,b,c` names, in its order; by name or heading, in any case.
 *
 * @throws UsageError
 */
export function chooseColumns<C extends AnyColumn>(
  columns: readonly C[],
  names: string | undefined,
  defaults: readonly string[],
): readonly C[] {
  const wanted = names === undefined ? defaults : names.split(',');
  return wanted.map((word) => {
    const name = word.trim().toLowerCase();
    const column =
      columns.find((each) => each.name.toLowerCase() === name) ??
      columns.find((each) => each.heading.toLowerCase() === name);
    if (column) return column;
    const known = columns.map((each) => each.name).join(', ');
    throw new UsageError(`no column ${quote(word)}; there are: ${known}`);
  });
}

/** What a table shows. */
export function textOf<Row>(column: Column<Row>, row: Row): string {
  if (column.text) return column.text(row) ?? '-';
  const value = column.value(row);
  if (value === undefined || value === null) return '-';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
