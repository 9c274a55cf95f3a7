/** What a sub-command is: one file in commands/, imported when it is asked for. */

import type { AnyColumn } from './columns/column.ts';

/** An option as parsed, as shown by --help and as listed in docs/cli.md. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value, for example `PID`; without one the option is a switch. */
  readonly value?: string;
  readonly help: string;
}

export interface Parsed {
  /** Values by option name; a switch that was given has the value `true`. */
  readonly options: ReadonlyMap<string, string | true>;
  readonly operands: readonly string[];
}

/**
 * 0 found, 1 nothing matched, 2 usage, 3 not permitted or not possible here; of `exec`, as env(1) has
 * them: 126 the command cannot be run, 127 there is none.
 */
export const EXIT = { found: 0, nothing: 1, usage: 2, refused: 3, notRunnable: 126, notFound: 127 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Command {
  /** The forms of the command line, without `fdmap` itself and the options that all commands share. */
  readonly synopsis: readonly string[];
  /** What it does, in a few sentences. */
  readonly description: string;
  /** Beside COMMON_OPTIONS. */
  readonly options: readonly OptionSpec[];
  /** What -o chooses from; none where there are no rows. */
  readonly columns: readonly AnyColumn[];
  /** Names of the columns shown without -o. */
  readonly defaults: readonly string[];
  /** The first operand ends the options: what follows is another command's. */
  readonly literal?: boolean;
  /** Answers from an image as well: `--from`. */
  readonly recorded?: boolean;
  run(parsed: Parsed): ExitCode | Promise<ExitCode>;
}

/** A row of the table in commands.ts. */
export interface CommandEntry {
  readonly name: string;
  /** One line for `fdmap --help`. */
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}
