/** man/fdmap.1, from the tables that the command itself is made of. */

import { COMMON_OPTIONS } from '../../src/cli/arguments.ts';
import type { CommandEntry, OptionSpec } from '../../src/cli/command.ts';
import { COMMANDS, OVERVIEW } from '../../src/cli/commands.ts';
import { nameOf } from '../../src/cli/help.ts';

/** Text for roff: its own characters, and a line that begins with one of its requests. */
const roff = (text: string) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '\\&...')
    .replace(/^(['.])/gm, '\\&$1')
    .replace(/([.!?]) (?=[A-Z−-])/g, '$1\n');

const optionList = (options: readonly OptionSpec[]) =>
  options.flatMap((option) => ['.TP', `.B "${roff(nameOf(option))}"`, roff(option.help)]);

const ENVIRONMENT = [
  ['FDMAP_BACKEND', 'as --backend'],
  ['FDMAP_BPFFS', 'where the calls are pinned, instead of /run/fdmap'],
] as const;

const EXITS = [
  ['0', 'found, or done'],
  ['1', 'nothing matched, or a process that was named is not there'],
  ['2', 'the command line is wrong'],
  ['3', 'not permitted, or not possible here'],
] as const;

const items = (list: readonly (readonly [string, string])[]) =>
  list.flatMap(([name, text]) => ['.TP', `.B ${roff(name)}`, roff(text)]);

export async function manual(date: string): Promise<string> {
  const entries: readonly CommandEntry[] = [OVERVIEW, ...COMMANDS];
  const commands = await Promise.all(entries.map(async ({ load }) => (await load()).command));
  const forms = commands.flatMap(({ synopsis }) => synopsis);
  const lines = [
    '.\\" SPDX-License-Identifier: MIT',
    '.\\" Generated from the tables of the command; test/cli/manual.test.ts compares.',
    `.TH fdmap 1 ${date} fdmap "User Commands"`,
    '.SH NAME',
    'fdmap \\- descriptors of processes, in bulk',
    '.SH SYNOPSIS',
    '.nf',
    ...forms.map((form) => `.B "${roff(`fdmap ${form}`.trim())}"`),
    '.fi',
    '.SH DESCRIPTION',
    '.B fdmap',
    'is to',
    '.BR fdmap (2)',
    'and',
    '.BR pidmap (2)',
    'what',
    '.BR taskset (1)',
    'is to',
    '.BR sched_setaffinity (2).',
  ];
  for (const { synopsis, description, options } of commands) {
    lines.push(`.SS "${roff(`fdmap ${synopsis[0]}`.trim())}"`, roff(description), ...optionList(options));
  }
  lines.push('.SH OPTIONS', 'For every command:', ...optionList(COMMON_OPTIONS));
  lines.push('.SH "EXIT STATUS"', ...items(EXITS), '.SH ENVIRONMENT', ...items(ENVIRONMENT));
  lines.push('.SH "SEE ALSO"', '.BR lsof (8),', '.BR fdmap (2),', '.BR pidmap (2),', '.BR proc (5)');
  return `${lines.join('\n')}\n`;
}
