/** A row as JSON text, member by member: listings have hundreds of thousands of rows. */

import { type Column, type FailedRow, isFailed } from '../columns/column.ts';

/** Lists that many rows share, such as open flags. */
const texts = new WeakMap<object, string>();

const PLAIN = /^[ !#-[\]-~]*$/;
const withoutBigint = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);

function objectText(value: object): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value, withoutBigint);
  if (Object.isFrozen(value)) texts.set(value, text);
  return text;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'object' && value !== null) return objectText(value);
  return typeof value === 'bigint' ? `"${value}"` : String(value);
}

interface Part<Row> {
  readonly key: string;
  readonly value: (row: Row) => unknown;
}

/** The getter itself: found by name for each row, it costs more than what it does. */
function getterOf<Row extends object>(row: Row, name: string): ((row: Row) => unknown) | undefined {
  for (let owner: unknown = row; owner; owner = Object.getPrototypeOf(owner)) {
    const found = Object.getOwnPropertyDescriptor(owner, name);
    if (found?.get) return Function.prototype.call.bind(found.get) as (row: Row) => unknown;
    if (found) return (each) => (each as Record<string, unknown>)[name];
  }
  return undefined;
}

function partsFor<Row extends object>(columns: readonly Column<Row>[], row: Row): Part<Row>[] {
  return columns.flatMap((column) => {
    const value = column.getter === undefined ? column.value : getterOf(row, column.getter);
    return value ? [{ key: `${JSON.stringify(column.name)}:`, value }] : [];
  });
}

/**
 * What JSON.stringify() makes of a record of `columns`, without the record.
 * Which columns a class of rows cannot have is found out once.
 */
export function recordText<Row extends object>(
  columns: readonly Column<Row>[],
): (row: Row | FailedRow) => string {
  const classes = new Map<unknown, readonly Part<Row>[]>();
  const partsOf = (row: Row) => {
    const parts = partsFor(columns, row);
    classes.set(row.constructor, parts);
    return parts;
  };
  return (row) => {
    if (isFailed(row)) return JSON.stringify(row);
    let text = '{';
    for (const { key, value: read } of classes.get(row.constructor) ?? partsOf(row)) {
      const value = read(row);
      if (value !== undefined) text += (text.length > 1 ? ',' : '') + key + textOf(value);
    }
    return `${text}}`;
  };
}
