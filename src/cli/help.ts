/** --help, from the tables that the commands are made of. */

import { commonOptions } from './arguments.ts';
import type { Command, CommandEntry, OptionSpec } from './command.ts';
import { COMMANDS, OVERVIEW } from './commands.ts';

const WIDTH = 79;

export function* helpOf(entry: CommandEntry, command: Command): Generator<string> {
  const top = entry === OVERVIEW;
  for (const [i, form] of command.synopsis.entries()) {
    yield `${i === 0 ? 'usage:' : '      '} fdmap ${form}${form && ' '}[OPTION…]\n`;
  }
  if (top) yield '       fdmap PID… [OPTION…]\n       fdmap COMMAND [ARGUMENT…] [OPTION…]\n';
  yield `\n${wrapped(command.description, 0)}\n`;
  if (top) {
    yield '\nCommands (fdmap COMMAND --help):\n';
    yield* list(COMMANDS.map(({ name, summary }) => [name, summary]));
  }
  yield '\nOptions:\n';
  yield* list(
    [...command.options, ...commonOptions(command.options)].map((option) => [nameOf(option), option.help]),
  );
  if (command.columns.length > 0) {
    yield '\nColumns, also the names in JSON:\n';
    yield* list(command.columns.map(({ name, help }) => [name, help]));
    yield `${wrapped(`Without -o: ${command.defaults.join(', ')}.`, 0)}\n`;
  }
  if (top) {
    yield '\nExit codes: 0 found, 1 nothing matched or no such process, 2 usage,\n';
    yield '3 not permitted or no backend, 130 interrupted.\n';
  }
}

/** `-o, --columns COLUMNS`, as --help and docs/cli.md have it. */
export function nameOf({ name, short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`;
}

function* list(rows: readonly (readonly [string, string])[]): Generator<string> {
  const width = rows.reduce((most, [name]) => Math.max(most, name.length), 0);
  for (const [name, text] of rows) yield `  ${name.padEnd(width)}  ${wrapped(text, width + 4)}\n`;
}

function wrapped(text: string, indent: number): string {
  let line = '';
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    if (line && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line += line ? ` ${word}` : word;
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
