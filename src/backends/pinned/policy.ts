/** What an administrator decided elsewhere: proc's mount options and the groups. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Hidepid } from '../../loader/skeleton.ts';
import { errnoOf } from '../../sys/errno.ts';

/** show_options() in fs/proc/root.c: names since 5.8, numbers before. */
const HIDEPID: Readonly<Record<string, Hidepid>> = {
  off: 0,
  noaccess: 1,
  invisible: 2,
  ptraceable: 4,
  0: 0,
  1: 1,
  2: 2,
  4: 4,
};

export interface ProcPolicy {
  readonly hidepid: Hidepid;
  /** Of gid=; 0, root's, when it is not given. */
  readonly exemptGid: number;
}

const STRICTEST: ProcPolicy = { hidepid: 4, exemptGid: 0 };

/** Options of a line of /proc/mounts; an unknown hidepid is the strictest one. */
export function parseProcPolicy(options: string): ProcPolicy {
  const value = (name: string) =>
    options
      .split(',')
      .find((option) => option.startsWith(`${name}=`))
      ?.slice(name.length + 1);
  const hidepid = value('hidepid');
  return {
    hidepid: hidepid === undefined ? 0 : (HIDEPID[hidepid] ?? 4),
    exemptGid: Number(value('gid') ?? 0),
  };
}

/** Of the first process: in a container that shares the machine's pid namespace, /proc/self has its own. */
const MOUNTS = '/proc/1/mounts';

/**
 * Of the proc that is mounted at /proc for the first process; the strictest where it cannot be
 * known, because there is no /proc here or there.
 */
export function procPolicy(path = MOUNTS): ProcPolicy {
  let mounts: string;
  try {
    mounts = readFileSync(path, 'latin1');
  } catch (error) {
    errnoOf(error);
    return STRICTEST;
  }
  // The last one mounted is the one that is seen.
  const line = mounts
    .split('\n')
    .map((text) => text.split(' '))
    .filter(([, where, type]) => where === '/proc' && type === 'proc')
    .at(-1);
  return line ? parseProcPolicy(line[3] ?? '') : STRICTEST;
}

/** The number of a group by its name, or by the number itself. */
export function groupNumber(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  // getent knows groups that are in no file too (LDAP, sssd); where it is missing there is the file.
  const { stdout, error } = spawnSync('getent', ['group', '--', name], { encoding: 'utf8' });
  const lines = error ? readFileSync('/etc/group', 'utf8') : stdout;
  const line = lines.split('\n').find((each) => each.startsWith(`${name}:`));
  const number = line?.split(':')[2];
  return number === undefined || number === '' ? undefined : Number(number);
}
