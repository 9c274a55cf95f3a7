#!/usr/bin/env node
/** The command line of fdmap: parse, validate, run, report. Nothing else sets the exit code. */

import { debuglog } from 'node:util';
import { backendOf, firstOperand, optionValue, parse, quote, UsageError } from './arguments.ts';
import { EXIT, type ExitCode } from './command.ts';
import { commandOf } from './commands.ts';
import { exitCodeOf, messageOf } from './errors.ts';
import { complain, watchOutput, write } from './output/write.ts';

async function main(words: readonly string[]): Promise<ExitCode> {
  const first = firstOperand(words);
  const found = commandOf(first?.word);
  if (!found) throw new UsageError(`neither a command nor a pid: ${quote(first!.word)}`);
  const { entry, named } = found;
  const { command } = await entry.load();
  const rest = named ? words.filter((_, i) => i !== first!.index) : words;
  const parsed = parse(rest, command.options, command.literal);
  if (parsed.options.has('version')) {
    const { version } = await import('./version.ts');
    write([`fdmap ${version}\n`]);
    return EXIT.found;
  }
  if (parsed.options.has('help')) {
    const { helpOf } = await import('./help.ts');
    write(helpOf(entry, command));
    return EXIT.found;
  }
  if (parsed.options.has('from') && !command.recorded)
    throw new UsageError(`--from: ${entry.name} does not ask images`);
  // Before the first question, which opens the backend.
  const backend = optionValue(parsed, 'backend');
  if (backend !== undefined) process.env.FDMAP_BACKEND = backendOf(backend);
  return command.run(parsed);
}

function report(error: unknown): ExitCode {
  debuglog('fdmap')('%s', error instanceof Error ? error.stack : error);
  complain(messageOf(error));
  return exitCodeOf(error);
}

watchOutput((error) => {
  complain(`cannot write: ${error.message}`);
  process.exitCode = EXIT.refused;
});
// No process.exit(): it would cut off what a pipe has not taken yet.
void main(process.argv.slice(2))
  .catch(report)
  .then((code) => {
    process.exitCode ||= code;
  });
