/** Columns of `fdmap diff`: a row for each group of descriptors, or for each that has changed. */

import type { Descriptor, Diff } from '../../index.ts';
import { type Column, member } from './column.ts';
import { detailOf } from './detail.ts';

export interface Change {
  readonly change: 'opened' | 'closed' | 'changed';
  readonly count: number;
  readonly pid: number;
  readonly command: string | undefined;
  readonly type: string;
  readonly what: string | undefined;
  readonly fds: readonly (number | string)[];
  /** By member: as it was, as it is. */
  readonly members?: Readonly<Record<string, readonly [unknown, unknown]>>;
}

const SIGNS = { opened: '+', closed: '-', changed: '~' } as const;

/** 4,7-12: runs of numbers as ranges. */
function ranges(fds: readonly (number | string)[]): string {
  const parts: string[] = [];
  for (let i = 0; i < fds.length; i++) {
    let end = i;
    while (typeof fds[end] === 'number' && fds[end + 1] === (fds[end] as number) + 1) end++;
    parts.push(end > i ? `${fds[i]}-${fds[end]}` : String(fds[i]));
    i = end;
  }
  return parts.join(',');
}

const shown = (value: unknown) =>
  value === undefined ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value);

export const CHANGE_COLUMNS: readonly Column<Change>[] = [
  member('change', 'string', 'opened (+), closed (-) or changed (~)', {
    heading: ' ',
    text: ({ change }) => SIGNS[change],
  }),
  member('count', 'number', 'how many'),
  member('pid', 'number', 'process'),
  member('command', 'string', 'name of the process'),
  member('type', 'string', 'kind of descriptor'),
  member('fds', 'array', 'their numbers', { text: ({ fds }) => ranges(fds) }),
  member('what', 'string', 'path or remote end that they share'),
  member('members', 'object', 'of one that has changed: each member as it was and as it is', {
    heading: 'CHANGES',
    text: ({ members }) =>
      members &&
      Object.entries(members)
        .map(([name, [was, is]]) => `${name} ${shown(was)} -> ${shown(is)}`)
        .join(', '),
  }),
];

const fieldOf = (row: Descriptor, name: string) => (row.toJSON() as Record<string, unknown>)[name];

export function* changesOf(diff: Diff): Generator<Change> {
  for (const { rows, ...group } of diff.groups())
    yield {
      ...group,
      what: group.what ?? detailOf(rows[0]!),
      count: rows.length,
      fds: rows.map(({ fd }) => fd),
    };
  for (const { before, after, members } of diff.changed) {
    const { pid, command, type, fd } = after;
    const values = members.map((name) => [name, [fieldOf(before, name), fieldOf(after, name)]]);
    const what = after.path ?? detailOf(after);
    yield {
      change: 'changed',
      count: 1,
      pid,
      command,
      type,
      what,
      fds: [fd],
      members: Object.fromEntries(values),
    };
  }
}
