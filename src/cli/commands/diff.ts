/** `fdmap diff`: two images, or this machine every few seconds. */

import { capture, diff, type Image, SystemError } from '../../index.ts';
import { optionValue, pidOf, quote, UsageError } from '../arguments.ts';
import { CHANGE_COLUMNS, type Change, changesOf } from '../columns/changes.ts';
import { type Command, EXIT, type ExitCode, type Parsed } from '../command.ts';
import { messageOf } from '../errors.ts';
import { formatOf, printer } from '../output/print.ts';
import { complain, write } from '../output/write.ts';
import { openImage } from '../source.ts';

const DEFAULTS = ['change', 'count', 'pid', 'command', 'type', 'fds', 'what', 'members'];
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** @throws UsageError */
function milliseconds(word: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(word);
  const value = match ? Number(match[1]) * (UNITS[match[2] ?? 's'] as number) : 0;
  if (value < 1 || value > 0x7fff_ffff)
    throw new UsageError(`--every: not a time: ${quote(word)} (5s, 500ms, 1m)`);
  return value;
}

/** @throws UsageError */
function countOf(word: string | undefined): number {
  if (word === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d*$/.test(word)) throw new UsageError(`--count: not a number: ${quote(word)}`);
  return Number(word);
}

export const command: Command = {
  synopsis: ['diff FILE FILE', 'diff PID… [--tree] --every TIME [--count N]', 'diff --all --every TIME'],
  description:
    'What was opened (+), closed (-) and changed (~) between two images of fdmap dump, or between now and ' +
    'now again, until it is interrupted. Opened and closed descriptors of one process, kind and path or remote ' +
    'end are one row. A number that was closed and opened anew is both; positions are no change unless asked for. ' +
    'The exit code is 1 when nothing has changed.',
  options: [
    { name: 'every', value: 'TIME', help: 'look again after this time: 5s, 500ms, 1m' },
    { name: 'count', value: 'N', help: 'with --every: how often; default: until it is interrupted' },
    { name: 'tree', help: 'with --every: everything below the processes, too' },
    { name: 'all', help: 'with --every: every process' },
    { name: 'position', help: 'positions that moved are changes, too' },
  ],
  columns: CHANGE_COLUMNS,
  defaults: DEFAULTS,

  run(parsed): ExitCode | Promise<ExitCode> {
    const print = printer<Change>(parsed, { columns: CHANGE_COLUMNS, defaults: DEFAULTS });
    const show = (before: Image, after: Image): boolean => {
      const found = diff(before, after, { position: parsed.options.has('position') });
      if (!found.sameTarget)
        complain('the images are not of the same processes: what only one was asked for is opened or closed');
      const changes = [...changesOf(found)];
      if (changes.length > 0 || formatOf(parsed) === 'json') print(changes);
      return changes.length > 0;
    };
    const every = optionValue(parsed, 'every');
    if (every !== undefined) return watch(parsed, milliseconds(every), show);
    const [before, after, ...more] = parsed.operands;
    for (const name of ['count', 'tree', 'all'])
      if (parsed.options.has(name)) throw new UsageError(`--${name} needs --every`);
    if (before === undefined || after === undefined || more.length > 0)
      throw new UsageError('diff: two images, or PIDs and --every');
    return show(openImage(before), openImage(after)) ? EXIT.found : EXIT.nothing;
  },
};

async function watch(
  parsed: Parsed,
  every: number,
  show: (before: Image, after: Image) => boolean,
): Promise<ExitCode> {
  const all = parsed.options.has('all');
  const pids = parsed.operands.map(pidOf);
  if (all === pids.length > 0) throw new UsageError('diff --every: of what? PIDs, or --all');
  const count = countOf(optionValue(parsed, 'count'));
  const options = { tree: parsed.options.has('tree') };
  const look = () => capture(all ? undefined : pids.length === 1 ? pids[0] : pids, options);
  const stop = new AbortController();
  const interrupted = () => stop.abort();
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  let before = look();
  let found = false;
  for (let round = 0; round < count; round++) {
    await pause(every, stop.signal);
    if (stop.signal.aborted) break;
    let after: Image;
    try {
      after = look();
    } catch (error) {
      // It has ended: so does this.
      if (!(error instanceof SystemError) || error.code !== 'ESRCH') throw error;
      complain(messageOf(error));
      break;
    }
    if (formatOf(parsed) === 'text') write([`${new Date().toISOString()}\n`]);
    found = show(before, after) || found;
    before = after;
  }
  process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  return found ? EXIT.found : EXIT.nothing;
}

/** `time` ms, or until `signal`. */
const pause = (time: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, time);
    signal.addEventListener('abort', end);
  });
