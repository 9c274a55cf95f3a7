/** `fdmap who PATH | :PORT | unix:PATH | PID/FD`: who holds it. */

import { type Descriptor, SystemError } from '../../index.ts';
import { pidOf, quote, UsageError } from '../arguments.ts';
import { DESCRIPTOR_COLUMNS } from '../columns/descriptors.ts';
import { type Command, EXIT, type ExitCode } from '../command.ts';
import { exitCodeOf, messageOf } from '../errors.ts';
import { complain } from '../output/write.ts';
import { type Source, sourceOf } from '../source.ts';
import { FILTERS, filtersOf, list, type Query } from './ls.ts';

const DEFAULTS = ['pid', 'command', 'user', 'fd', 'type', 'access', 'detail'];

/** What an operand means, or the exit code where what it names is not there or not to be seen. */
function queryOf(source: Source, word: string): Query | ExitCode {
  const port = /^:(\d{1,5})$/.exec(word);
  if (port) {
    if (Number(port[1]) > 65_535) throw new UsageError(`not a port: ${quote(word)}`);
    return { port: [Number(port[1])], type: ['tcp', 'udp', 'udplite'] };
  }
  if (word.startsWith('unix:')) return { path: [word.slice('unix:'.length)], type: 'unix' };
  const descriptor = /^(\d+)\/(\d+)$/.exec(word);
  if (!descriptor) return { path: [word], places: true, mappings: true };
  let row: Descriptor | undefined;
  try {
    [row] = source.fdinfo(pidOf(descriptor[1] as string), { fd: Number(descriptor[2]) });
  } catch (error) {
    if (!(error instanceof SystemError) || error.pid === undefined) throw error;
    // The other operands still have their answers.
    complain(messageOf(error));
    return exitCodeOf(error);
  }
  if (!row) {
    complain(`${word}: no such descriptor`);
    return EXIT.nothing;
  }
  return { inode: Number(row.inode), type: row.type, matches: (other) => isSame(row, other) };
}

/** Paths in one look at the machine, ports in one, unix sockets in one. */
function merged(queries: readonly Query[]): Query[] {
  const of = (test: (query: Query) => boolean, member: 'path' | 'port'): Query[] => {
    const alike = queries.filter(test);
    const values = alike.flatMap((query) => query[member] as (string | number)[]);
    return alike.length > 0 ? [{ ...alike[0], [member]: values }] : [];
  };
  return [
    ...of(({ path, type }) => path !== undefined && type === undefined, 'path'),
    ...of(({ port }) => port !== undefined, 'port'),
    ...of(({ path, type }) => path !== undefined && type !== undefined, 'path'),
    ...queries.filter(({ matches }) => matches),
  ];
}

/** What has an inode of its own, so that it is the same wherever that is; by /proc `unknown` is a file. */
const WITH_INODE: ReadonlySet<string> = new Set<Descriptor['type']>([
  ...([
    'unknown',
    'file',
    'dir',
    'symlink',
    'block',
    'char',
    'pipe',
    'fifo',
    'memfd',
    'mqueue',
    'namespace',
  ] as const),
  ...(['tcp', 'udp', 'udplite', 'raw', 'ping', 'unix', 'netlink', 'packet', 'vsock', 'socket'] as const),
]);

/** Anonymous inodes are one for all: there the open file says which it is, or the number of an eventfd. */
function isSame(row: Descriptor, other: Descriptor): boolean {
  if (other.inode !== row.inode || other.dev !== row.dev) return false;
  if (WITH_INODE.has(row.type)) return true;
  if (row.fileId !== undefined) return other.fileId === row.fileId;
  if ('id' in row && row.id !== undefined) return 'id' in other && other.id === row.id;
  // By /proc no more can be told than that it is this very descriptor.
  return other.pid === row.pid && other.fd === row.fd;
}

export const command: Command = {
  synopsis: ['who PATH… | :PORT… | unix:PATH… | PID/FD…'],
  description:
    'Who has a file open, is in that directory, runs that program or has it mapped; who listens on a port or ' +
    'is connected by it; who holds a unix socket; who else has what a descriptor of a process has.',
  options: FILTERS.filter(({ name }) => ['user', 'command', 'stat'].includes(name)),
  columns: DESCRIPTOR_COLUMNS,
  defaults: DEFAULTS,
  recorded: true,

  run(parsed) {
    if (parsed.operands.length === 0)
      throw new UsageError('who: of what? A path, :PORT, unix:PATH or PID/FD');
    const source = sourceOf(parsed);
    const answers = parsed.operands.map((word) => queryOf(source, word));
    const queries = answers.filter((answer) => typeof answer === 'object');
    const failures = answers.filter((answer) => typeof answer === 'number');
    const { user, command, stat } = filtersOf(parsed);
    const looks = merged(queries).map((query) => ({ ...query, user, command, stat }));
    const found = looks.length === 0 ? EXIT.found : list(parsed, undefined, looks, DEFAULTS, source);
    return Math.max(found, ...failures) as ExitCode;
  },
};
