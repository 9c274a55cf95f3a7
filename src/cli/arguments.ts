/** From words of the command line to values, with an error in one line for what is not one. */

import { parseArgs } from 'node:util';
import { BACKEND_CHOICES } from '../index.ts';
import type { OptionSpec, Parsed } from './command.ts';

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {}

export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', help: 'one JSON array of records (doctor: one object)' },
  { name: 'jsonl', help: 'one JSON record a line' },
  { name: 'columns', short: 'o', value: 'COLUMNS', help: 'columns to show, by name, with commas between' },
  { name: 'no-header', help: 'no line of headings' },
  {
    name: 'backend',
    value: 'NAME',
    help: `${BACKEND_CHOICES.join(', ')}: a backend that is named never falls back to another (FDMAP_BACKEND)`,
  },
  {
    name: 'from',
    value: 'FILE',
    help: 'ask an image of fdmap dump instead of this machine: overview, ls, who, fds, pids, ps; - is standard input',
  },
  { name: 'help', short: 'h', help: 'this text' },
  { name: 'version', short: 'V', help: 'the version of fdmap' },
];

function tokensOf(words: readonly string[], specs: readonly OptionSpec[]) {
  const options = Object.fromEntries(
    specs.map(({ name, short, value }) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const), ...(short && { short }) },
    ]),
  );
  // Not strict: its errors are paragraphs about positionals, and `-1` is a bad number, not a bad option.
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/**
 * Where the first operand stands, with only the shared options known. An unknown
 * option is taken as a switch here: whether it is one is said after the command is known.
 */
export function firstOperand(words: readonly string[]): { word: string; index: number } | undefined {
  const token = tokensOf(words, COMMON_OPTIONS).find(({ kind }) => kind === 'positional');
  return token?.kind === 'positional' ? { word: token.value, index: token.index } : undefined;
}

/**
 * @param literal the first operand ends the options, as env(1) has it: what follows is another command's
 * @throws UsageError
 */
export function parse(words: readonly string[], own: readonly OptionSpec[], literal = false): Parsed {
  const specs = [...own, ...commonOptions(own)];
  const options = new Map<string, string | true>();
  const operands: string[] = [];
  for (const token of tokensOf(words, specs)) {
    if (literal && token.kind !== 'option') {
      operands.push(...words.slice(token.kind === 'positional' ? token.index : token.index + 1));
      break;
    }
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = specs.find(({ name }) => name === token.name);
    if (!spec) {
      if (/^-\d/.test(token.rawName)) throw new UsageError(`not a pid: ${quote(words[token.index]!)}`);
      throw new UsageError(`unknown option ${quote(token.rawName)}`);
    }
    const shown = token.rawName;
    if (!spec.value && token.value !== undefined) throw new UsageError(`${shown} takes no value`);
    if (spec.value && (token.value === undefined || looksLikeOption(token.value, token.inlineValue))) {
      throw new UsageError(`${shown} needs a value: ${shown} ${spec.value}`);
    }
    options.set(spec.name, token.value ?? true);
  }
  return { options, operands };
}

/** COMMON_OPTIONS, without a letter that the command has another use for. */
export const commonOptions = (own: readonly OptionSpec[]): readonly OptionSpec[] =>
  COMMON_OPTIONS.map(({ short, ...option }) =>
    short === undefined || own.some((each) => each.short === short) ? option : { ...option, short },
  );

/** `--backend --json`: a value was forgotten; `--children -1` is a number, a bad one. */
const looksLikeOption = (value: string, inline: boolean | undefined) => !inline && /^-\D/.test(value);

const PID_MAX = 0x7fff_ffff;

/**
 * A pid as decimal digits.
 *
 * @throws UsageError
 */
export function pidOf(word: string): number {
  const pid = Number(word);
  if (!/^\d+$/.test(word) || !(pid <= PID_MAX)) {
    throw new UsageError(`not a pid: ${quote(word)} (a number from 0 to ${PID_MAX})`);
  }
  return pid;
}

/** @throws UsageError */
export function backendOf(word: string): string {
  if ((BACKEND_CHOICES as readonly string[]).includes(word)) return word;
  throw new UsageError(`no backend ${quote(word)}; there are: ${BACKEND_CHOICES.join(', ')}`);
}

/** The value of an option that takes one. */
export function optionValue(parsed: Parsed, name: string): string | undefined {
  const value = parsed.options.get(name);
  return typeof value === 'string' ? value : undefined;
}

/** For messages, which may go to a terminal whatever was typed. */
export function quote(word: string): string {
  const shown = word.length > 80 ? `${word.slice(0, 80)}…` : word;
  return JSON.stringify(shown).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
