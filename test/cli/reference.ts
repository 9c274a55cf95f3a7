/** The generated parts of docs/cli.md, from the tables that the command itself is made of. */

import { COMMON_OPTIONS } from '../../src/cli/arguments.ts';
import type { Command, CommandEntry, OptionSpec } from '../../src/cli/command.ts';
import { COMMANDS, OVERVIEW } from '../../src/cli/commands.ts';
import { nameOf } from '../../src/cli/help.ts';

type Cells = readonly string[];

function table(headings: Cells, rows: readonly Cells[]): string {
  const lines = [headings, ...rows].map((row) => row.map((text) => text.replaceAll('|', '\\|')));
  const widths = headings.map((_, i) => Math.max(...lines.map((row) => row[i]!.length)));
  const line = (row: Cells) => `| ${row.map((text, i) => text.padEnd(widths[i]!)).join(' | ')} |`;
  const [first, ...rest] = lines;
  return [line(first!), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n');
}

const options = (list: readonly OptionSpec[]) =>
  table(
    ['option', 'meaning'],
    list.map((option) => [`\`${nameOf(option)}\``, option.help]),
  );

const commandLine = (words: string) => `fdmap ${words}`.trim();

function partOf({ synopsis, description, options: own, columns, defaults }: Command): string {
  const pieces = [`\`\`\`\n${synopsis.map(commandLine).join('\n')}\n\`\`\``, description];
  if (own.length > 0) pieces.push(options(own));
  if (columns.length > 0) {
    const rows = columns.map(({ name, heading, type, help }) => [
      `\`${name}\``,
      heading,
      type,
      defaults.includes(name) ? 'yes' : '',
      help,
    ]);
    pieces.push(table(['name', 'heading', 'JSON type', 'shown', 'meaning'], rows));
  }
  return pieces.join('\n\n');
}

/** Each part by the name that its place in docs/cli.md has. */
export async function parts(): Promise<Map<string, string>> {
  const entries: readonly CommandEntry[] = [OVERVIEW, ...COMMANDS];
  const commands = entries.map(({ name, summary }) => [`\`${commandLine(name)}\``, summary]);
  const found = new Map([
    ['commands', table(['command', 'does'], commands)],
    ['options', options(COMMON_OPTIONS)],
  ]);
  for (const { name, load } of entries) found.set(name || 'overview', partOf((await load()).command));
  return found;
}
