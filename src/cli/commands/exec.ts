/** `fdmap exec … -- CMD ARG…`: becomes CMD, as env(1) and taskset(1) do, with clean descriptors. */

import { writeSync } from 'node:fs';
import { type ClosedDescriptor, exec, SystemError } from '../../index.ts';
import { optionValue, quote, UsageError } from '../arguments.ts';
import { type Command, EXIT, type ExitCode, type Parsed } from '../command.ts';
import { complain } from '../output/write.ts';

const FD_MAX = 0x7fff_ffff;

export const command: Command = {
  synopsis: ['exec [--closefrom N] … [--] CMD [ARG…]'],
  description:
    'Becomes CMD: same pid, same exit status, same signals. CMD gets the descriptors below N (3) and those ' +
    'of LIST, and nothing of what Node itself changed: SIGPIPE and SIGXFSZ are at their default, streams and ' +
    'terminal as they were, and the soft limit of descriptors is that of the parent process. Signals that ' +
    'were ignored at start are at their default too: put nohup behind it, not before. Exit codes of its own: ' +
    '126 CMD cannot be run, 127 there is none.',
  options: [
    { name: 'closefrom', value: 'N', help: 'the first descriptor that CMD does not get (3)' },
    { name: 'keep', value: 'LIST', help: 'descriptors that it gets all the same, with commas between' },
    { name: 'nofile', value: 'N', help: 'its soft limit of descriptors (RLIMIT_NOFILE)' },
    { name: 'report', help: 'say on stderr what it does not get' },
  ],
  columns: [],
  defaults: [],
  literal: true,

  run(parsed): ExitCode {
    const [name, ...args] = parsed.operands;
    if (name === undefined) throw new UsageError('exec needs a command');
    try {
      exec(name, args, {
        closefrom: numberOf(parsed, 'closefrom'),
        nofile: numberOf(parsed, 'nofile'),
        keep: optionValue(parsed, 'keep')
          ?.split(',')
          .map((word) => number('keep', word)),
        report: parsed.options.has('report') ? report : undefined,
      });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (error.syscall === 'exec') throw new UsageError(`--keep ${error.path}: this descriptor is not open`);
      if (error.syscall !== 'execve') throw error;
      complain(error.message);
      return error.code === 'ENOENT' ? EXIT.notFound : EXIT.notRunnable;
    }
  },
};

function numberOf(parsed: Parsed, option: string): number | undefined {
  const word = optionValue(parsed, option);
  return word === undefined ? undefined : number(option, word);
}

function number(option: string, word: string): number {
  const value = Number(word);
  if (!/^\d+$/.test(word) || value > FD_MAX)
    throw new UsageError(`--${option}: not a number: ${quote(word)}`);
  return value;
}

/** At once: what a stream holds back is lost when another program takes over. */
function report(closed: readonly ClosedDescriptor[]): void {
  for (const { fd, path } of closed) {
    writeSync(2, `fdmap: closed ${fd}${path === undefined ? '' : ` ${quote(path)}`}\n`);
  }
}
