/** Fields of a process, by their public names, and the group of the record that each comes from. */

import * as abi from '../layout.gen.ts';

/** The fixed part of every record: nothing to ask for. */
const FIXED = 0;

/** In the order in which rows have them. */
export const PROCESS_FIELDS = {
  pid: [FIXED],
  tid: [FIXED],
  ppid: [abi.PIDINFO_STATUS],
  pgid: [abi.PIDINFO_STATUS],
  sid: [abi.PIDINFO_STATUS],
  tty: [abi.PIDINFO_STATUS],
  state: [abi.PIDINFO_STATUS],
  command: [abi.PIDINFO_STATUS],
  args: [],
  exe: [],
  kernelThread: [abi.PIDINFO_STATUS],
  threads: [abi.PIDINFO_STATUS],
  uid: [abi.PIDINFO_CREDS],
  euid: [abi.PIDINFO_CREDS],
  suid: [abi.PIDINFO_CREDS],
  fsuid: [abi.PIDINFO_CREDS],
  gid: [abi.PIDINFO_CREDS],
  egid: [abi.PIDINFO_CREDS],
  sgid: [abi.PIDINFO_CREDS],
  fsgid: [abi.PIDINFO_CREDS],
  capEff: [abi.PIDINFO_CREDS],
  startTime: [FIXED],
  started: [FIXED],
  userTime: [abi.PIDINFO_TIMES],
  systemTime: [abi.PIDINFO_TIMES],
  vsize: [abi.PIDINFO_MEMORY],
  rss: [abi.PIDINFO_MEMORY],
  shared: [abi.PIDINFO_MEMORY],
  minorFaults: [abi.PIDINFO_FAULTS],
  majorFaults: [abi.PIDINFO_FAULTS],
  readBytes: [abi.PIDINFO_IO],
  writeBytes: [abi.PIDINFO_IO],
  priority: [abi.PIDINFO_SCHED],
  nice: [abi.PIDINFO_SCHED],
  policy: [abi.PIDINFO_SCHED],
  cpu: [abi.PIDINFO_SCHED],
  oomScoreAdj: [abi.PIDINFO_SCHED],
  cgroup: [abi.PIDINFO_CGROUP, abi.PIDINFO_CGROUP_PATH],
  cgroupId: [abi.PIDINFO_CGROUP],
  cgroups: [abi.PIDINFO_CGROUPS_V1],
  namespaces: [abi.PIDINFO_NAMESPACES],
  fds: [abi.PIDINFO_FILES],
  fdTable: [abi.PIDINFO_FILES],
  fdLimit: [abi.PIDINFO_LIMIT],
  fdLimitMax: [abi.PIDINFO_LIMIT],
  fdUse: [abi.PIDINFO_FILES, abi.PIDINFO_LIMIT],
  files: [abi.PIDINFO_KINDS],
  sockets: [abi.PIDINFO_KINDS],
  pipes: [abi.PIDINFO_KINDS],
  other: [abi.PIDINFO_KINDS],
} as const satisfies Record<string, readonly number[]>;

export type ProcessField = keyof typeof PROCESS_FIELDS;

export const PROCESS_FIELD_NAMES = Object.keys(PROCESS_FIELDS) as readonly ProcessField[];

/** What costs more than everything else together: for those who name it. */
const ON_REQUEST: ReadonlySet<ProcessField> = new Set([
  ...(['args', 'exe'] as const),
  ...(['files', 'sockets', 'pipes', 'other'] as const),
]);

export const DEFAULT_FIELDS = PROCESS_FIELD_NAMES.filter((field) => !ON_REQUEST.has(field));

const bits = (...groups: readonly number[]) => groups.reduce((all, group) => all | (1 << group), 0);

/** What the programs of pidinfo-basic.bpf.c can tell. */
export const BASIC_GROUPS = bits(
  abi.PIDINFO_STATUS,
  abi.PIDINFO_CREDS,
  abi.PIDINFO_FILES,
  abi.PIDINFO_LIMIT,
  abi.PIDINFO_TIMES,
  abi.PIDINFO_FAULTS,
  abi.PIDINFO_MEMORY,
  abi.PIDINFO_SCHED,
);

/** Bits of the groups that `fields` come from. */
export function groupsOf(fields: Iterable<ProcessField>): number {
  let groups = 0;
  for (const field of fields) for (const group of PROCESS_FIELDS[field]) groups |= 1 << group;
  return groups & ~(1 << FIXED);
}
