/** Names of the drivers behind special files. They are this machine's: of an image they are a guess. */

import { readFileSync } from 'node:fs';
import type { Descriptor } from '../../index.ts';

/** Documentation/admin-guide/devices.txt: majors whose minors are of several drivers. */
const TTY = 4;
const TTYAUX = 5;
const MISC = 10;
const SERIALS = 64;

/** Names by number: those that share one are in the order of their minors. */
type Names = ReadonlyMap<number, readonly string[]>;

interface Drivers {
  readonly char: Names;
  readonly block: Names;
  /** By minor number. */
  readonly misc: Names;
}

let drivers: Drivers | undefined;

/** Lines of a number and a name, as both files have them. */
function namesIn(text: string): Names {
  const found = new Map<number, string[]>();
  for (const [, number, name] of text.matchAll(/^ *(\d+) (\S+)$/gm)) {
    const names = found.get(Number(number));
    if (names) names.push(name as string);
    else found.set(Number(number), [name as string]);
  }
  return found;
}

/** Which of the names of a major number is that of a minor one. */
function indexOf(major: number, minor: number): number {
  if (major === TTYAUX) return minor;
  if (major === TTY) return minor === 0 ? 0 : minor < SERIALS ? 1 : 2;
  return 0;
}

/** Empty where there is no /proc: then no name is known. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return '';
  }
}

function readDrivers(): Drivers {
  const [char = '', block = ''] = textOf('/proc/devices').split('Block devices:');
  return { char: namesIn(char), block: namesIn(block), misc: namesIn(textOf('/proc/misc')) };
}

/** Undefined for what is no special file, and where the kernel names no driver. */
export function driverOf({ type, rdev }: Descriptor): string | undefined {
  if ((type !== 'char' && type !== 'block') || rdev === undefined) return undefined;
  drivers ??= readDrivers();
  const [major, minor] = rdev.split(':').map(Number) as [number, number];
  if (type === 'block') return drivers.block.get(major)?.[0];
  const misc = major === MISC ? drivers.misc.get(minor)?.[0] : undefined;
  return misc === undefined ? drivers.char.get(major)?.[indexOf(major, minor)] : `misc:${misc}`;
}
