/** Names of the drivers behind special files. */

import { readFileSync } from 'node:fs';
import type { Descriptor } from '../../index.ts';
import { known } from './joined.ts';

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

const driversIn = known((proc: string): Drivers => {
  const [char = '', block = ''] = readFileSync(`${proc}/devices`, 'latin1').split('Block devices:');
  return {
    char: namesIn(char),
    block: namesIn(block),
    misc: namesIn(readFileSync(`${proc}/misc`, 'latin1')),
  };
});

/** Undefined for what is no special file, where the kernel names no driver, and without /proc. */
export function driverOf({ type, rdev }: Descriptor): string | undefined {
  if ((type !== 'char' && type !== 'block') || rdev === undefined) return undefined;
  const drivers = driversIn('/proc');
  if (!drivers) return undefined;
  const [major, minor] = rdev.split(':').map(Number) as [number, number];
  if (type === 'block') return drivers.block.get(major)?.[0];
  const misc = major === MISC ? drivers.misc.get(minor)?.[0] : undefined;
  return misc === undefined ? drivers.char.get(major)?.[indexOf(major, minor)] : `misc:${misc}`;
}
