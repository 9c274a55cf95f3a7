/** `fdmap ls [PID…]` and `fdmap PID…`: descriptors, one a row. */

import {
  DESCRIPTOR_TYPES,
  type Descriptor,
  type DescriptorType,
  type FdinfoOptions,
  type PlaceName,
} from '../../index.ts';
import { optionValue, pidOf, quote, UsageError } from '../arguments.ts';
import type { FailedRow } from '../columns/column.ts';
import { DESCRIPTOR_COLUMNS, DESCRIPTOR_MEMBERS } from '../columns/descriptors.ts';
import { type Command, EXIT, type ExitCode, type OptionSpec, type Parsed } from '../command.ts';
import { formatOf, printer } from '../output/print.ts';
import { complain } from '../output/write.ts';
import { type Source, sourceOf } from '../source.ts';
import { userNumber } from '../users.ts';

const DEFAULTS = ['pid', 'command', 'user', 'fd', 'type', 'access', 'size', 'detail'];

export const FILTERS: readonly OptionSpec[] = [
  { name: 'user', short: 'u', value: 'USER', help: 'of processes of this user: a name or a number' },
  { name: 'command', short: 'c', value: 'NAME', help: 'of processes of this name; /…/ is an expression' },
  { name: 'type', short: 't', value: 'TYPES', help: `with commas between: ${DESCRIPTOR_TYPES.join(', ')}` },
  { name: 'fd', value: 'NUMBERS', help: 'with commas between; also cwd, root, exe, mem' },
  { name: 'path', value: 'PATH', help: 'this file, or the unix socket of this path' },
  { name: 'tree', value: 'DIR', help: 'everything at or below this directory' },
  { name: 'mount', value: 'PATH', help: 'everything on the file system of this path' },
  { name: 'port', value: 'PORTS', help: 'TCP, UDP and UDP-Lite: a port of either end; with commas between' },
  { name: 'inode', value: 'INODES', help: 'of one of these inodes, with commas between' },
  { name: 'all', short: 'a', help: 'working directories, roots, programs and mapped files too' },
  { name: 'stat', help: 'backend proc: ask stat(2) of files on every file system; a dead one hangs it' },
];

function numbers(parsed: Parsed, name: string): number[] | undefined {
  return optionValue(parsed, name)
    ?.split(',')
    .map((word) => {
      if (!/^\d+$/.test(word)) throw new UsageError(`--${name}: not a number: ${quote(word)}`);
      return Number(word);
    });
}

function expression(word: string): string | RegExp {
  const match = /^\/(.*)\/$/.exec(word);
  if (!match) return word;
  try {
    return new RegExp(match[1] as string);
  } catch (error) {
    throw new UsageError(`--command: ${(error as Error).message}`);
  }
}

const PLACES = ['cwd', 'root', 'exe', 'mem'];

function fdOf(word: string): number | PlaceName {
  if (PLACES.includes(word)) return word as PlaceName;
  if (/^\d+$/.test(word)) return Number(word);
  throw new UsageError(`--fd: not a descriptor: ${quote(word)}`);
}

function typeOf(word: string): DescriptorType {
  if ((DESCRIPTOR_TYPES as readonly string[]).includes(word)) return word as DescriptorType;
  throw new UsageError(`no type ${quote(word)}; there are: ${DESCRIPTOR_TYPES.join(', ')}`);
}

/** @throws UsageError */
export function filtersOf(parsed: Parsed): FdinfoOptions {
  const value = (name: string) => optionValue(parsed, name);
  const user = value('user');
  const command = value('command');
  const all = parsed.options.has('all');
  return {
    user: user === undefined ? undefined : userNumber(user),
    command: command === undefined ? undefined : expression(command),
    type: value('type')?.split(',').map(typeOf),
    fd: value('fd')?.split(',').map(fdOf),
    path: value('path'),
    tree: value('tree'),
    mount: value('mount'),
    port: numbers(parsed, 'port'),
    inode: numbers(parsed, 'inode'),
    places: all,
    mappings: all,
    stat: parsed.options.has('stat'),
  };
}

/** What is asked, and what no option says of the rows that are wanted. */
export interface Query extends FdinfoOptions {
  readonly matches?: (row: Descriptor) => boolean;
}

/** Rows of `queries`, printed, with what could not be read told on stderr. */
export function list(
  parsed: Parsed,
  pids: readonly number[] | undefined,
  queries: readonly Query[],
  defaults: readonly string[],
  source: Source,
): ExitCode {
  const isText = formatOf(parsed) === 'text';
  const print = printer<Descriptor>(parsed, {
    columns: DESCRIPTOR_COLUMNS,
    defaults: isText ? defaults : DESCRIPTOR_MEMBERS,
  });
  const shown = optionValue(parsed, 'columns')?.toLowerCase().split(',') ?? [];
  const endpoints = shown.some((name) => name.trim() === 'endpoints' || name.trim() === 'watchers');
  let worst: ExitCode = EXIT.found;
  let found = false;

  function* rows(): Generator<Descriptor | FailedRow> {
    const seen = new Set<string>();
    for (const query of queries) {
      const { matches, ...filters } = query;
      const answer = source.fdinfo(pids, { ...filters, endpoints });
      for (const row of answer) {
        if (matches && !matches(row)) continue;
        if (queries.length > 1) {
          const key = `${row.pid} ${row.tid} ${row.fd} ${'mapping' in row ? row.mapping?.start : ''}`;
          if (seen.has(key)) continue;
          seen.add(key);
        }
        found = true;
        yield row;
      }
      if (query !== queries[0]) continue;
      for (const failed of answer.errors) {
        const gone = failed.error.code === 'ESRCH';
        complain(
          `${failed.pid}: ${gone ? 'no such process' : 'not permitted to read its descriptors'} (${failed.error.code})`,
        );
        worst = Math.max(worst, gone ? EXIT.nothing : EXIT.refused) as ExitCode;
        yield failed;
      }
    }
  }

  if (!isText) print(rows());
  else {
    // The columns of a table are as wide as the widest of all rows; and of nothing there is none.
    const all = [...rows()];
    if (found) print(all);
  }
  return found || worst !== EXIT.found ? worst : EXIT.nothing;
}

export const command: Command = {
  synopsis: ['ls [PID…]', 'PID…'],
  description:
    'Open descriptors, one a row, of the processes named or of all that may be seen. ' +
    'All filters that are given must match. In JSON each row has every member that is known; ' +
    '-o endpoints or -o watchers also looks for who is at the other end.',
  options: FILTERS,
  columns: DESCRIPTOR_COLUMNS,
  defaults: DEFAULTS,
  recorded: true,

  run(parsed) {
    const pids = parsed.operands.length > 0 ? parsed.operands.map(pidOf) : undefined;
    const source = sourceOf(parsed);
    return list(parsed, pids, [filtersOf(parsed)], DEFAULTS, source);
  },
};
