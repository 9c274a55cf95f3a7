/** Fields of a process, by their public names, and the group of the record that each comes from. */

import { PIDINFO_CREDS, PIDINFO_FILES, PIDINFO_LIMIT, PIDINFO_STATUS } from '../layout.gen.ts';

/** The fixed part of every record: nothing to ask for. */
const FIXED = 0;

/** In the order in which rows have them. */
export const PROCESS_FIELDS = {
  pid: [FIXED],
  tid: [FIXED],
  ppid: [PIDINFO_STATUS],
  pgid: [PIDINFO_STATUS],
  sid: [PIDINFO_STATUS],
  tty: [PIDINFO_STATUS],
  state: [PIDINFO_STATUS],
  command: [PIDINFO_STATUS],
  kernelThread: [PIDINFO_STATUS],
  threads: [PIDINFO_STATUS],
  uid: [PIDINFO_CREDS],
  euid: [PIDINFO_CREDS],
  suid: [PIDINFO_CREDS],
  fsuid: [PIDINFO_CREDS],
  gid: [PIDINFO_CREDS],
  egid: [PIDINFO_CREDS],
  sgid: [PIDINFO_CREDS],
  fsgid: [PIDINFO_CREDS],
  capEff: [PIDINFO_CREDS],
  startTime: [FIXED],
  fds: [PIDINFO_FILES],
  fdTable: [PIDINFO_FILES],
  fdLimit: [PIDINFO_LIMIT],
  fdLimitMax: [PIDINFO_LIMIT],
  fdUse: [PIDINFO_FILES, PIDINFO_LIMIT],
} as const satisfies Record<string, readonly number[]>;

export type ProcessField = keyof typeof PROCESS_FIELDS;

export const PROCESS_FIELD_NAMES = Object.keys(PROCESS_FIELDS) as readonly ProcessField[];

/** Bits of the groups that `fields` come from. */
export function groupsOf(fields: Iterable<ProcessField>): number {
  let groups = 0;
  for (const field of fields) for (const group of PROCESS_FIELDS[field]) groups |= 1 << group;
  return groups & ~(1 << FIXED);
}
