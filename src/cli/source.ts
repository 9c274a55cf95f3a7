/** Whom the listing commands ask: this machine, or an image (`--from`). */

import { fstatSync } from 'node:fs';
import { fdinfo, fdmap, type Image, pidinfo, pidmap, readImage } from '../index.ts';
import { optionValue } from './arguments.ts';
import { joinNothing } from './columns/joined.ts';
import { EXIT, type Parsed } from './command.ts';
import { complain } from './output/write.ts';
import { useNames } from './users.ts';

export type Source = Pick<Image, 'fdinfo' | 'fdmap' | 'pidinfo' | 'pidmap'>;

const STDIN = 0;
const MACHINE: Source = { fdinfo, fdmap, pidinfo, pidmap };

/** The image of `--from FILE`, `-` for standard input; undefined: this machine is asked. */
export function imageOf(parsed: Parsed): Image | undefined {
  const path = optionValue(parsed, 'from');
  if (path === undefined) return undefined;
  const image = openImage(path);
  useNames(image.users);
  joinNothing();
  return image;
}

export const sourceOf = (parsed: Parsed): Source => imageOf(parsed) ?? MACHINE;

/** What is damaged is told, what came before is shown, and the exit code is 3. */
export function openImage(path: string): Image {
  const image = readImage(path === '-' ? STDIN : path, { partial: true });
  if (image.damage) {
    complain(`${path}: ${image.damage.message}; this is what came before`);
    process.exitCode = EXIT.refused;
  }
  return image;
}

/** Would an image on standard output be one for the eye? */
export const isTerminal = (): boolean => process.stdout.isTTY && fstatSync(1).isCharacterDevice();
