/** Rows from records of the kind PROCESS. */

import type { RecordReader } from '../attributes.ts';
import * as abi from '../layout.gen.ts';
import type { ProcessField } from './fields.ts';
import { adjustedTimes, capabilities, limit, policyName, stateLetter, ticks, ttyName } from './values.ts';

/** PF_KTHREAD of include/linux/sched.h */
const PF_KTHREAD = 0x0020_0000;
/** A number that the backend could not tell; of a 64-bit one, the upper half. */
export const NOT_KNOWN = 0xffff_ffff;

/** Value of a field in the record that the reader is at; undefined where it is not known. */
type Decoder<T> = (r: RecordReader) => T | undefined;

/** A decoder of something in the group `type`, whose struct has `size` bytes and begins at `at`. */
const inGroup =
  <T>(type: number, size: number, read: (r: RecordReader, at: number) => T): Decoder<T> =>
  (r) => {
    const at = r.attribute(type, size);
    return at === 0 ? undefined : read(r, at);
  };
const status = <T>(read: (r: RecordReader, at: number) => T) =>
  inGroup(abi.PIDINFO_STATUS, abi.SIZEOF_PIDINFO_STATUS, read);
const creds = (offset: number) =>
  inGroup(abi.PIDINFO_CREDS, abi.SIZEOF_PIDINFO_CREDS, (r, at) => r.u32(at + offset));
const files = (offset: number) =>
  inGroup(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES, (r, at) => {
    const value = r.u32(at + offset);
    return value === NOT_KNOWN ? undefined : value;
  });
const kinds = (offset: number) =>
  inGroup(abi.PIDINFO_KINDS, abi.SIZEOF_PIDINFO_KINDS, (r, at) => r.u32(at + offset));
const rlimit = (offset: number) =>
  inGroup(abi.PIDINFO_LIMIT, abi.SIZEOF_PIDINFO_LIMIT, (r, at) => limit(r.number(at + offset)));
const memory = (offset: number) =>
  inGroup(abi.PIDINFO_MEMORY, abi.SIZEOF_PIDINFO_MEMORY, (r, at) => {
    const high = r.u32(at + offset + 4);
    return high === NOT_KNOWN ? undefined : r.number(at + offset);
  });
const faults = (offset: number) =>
  inGroup(abi.PIDINFO_FAULTS, abi.SIZEOF_PIDINFO_FAULTS, (r, at) => r.number(at + offset));
const io = (offset: number) =>
  inGroup(abi.PIDINFO_IO, abi.SIZEOF_PIDINFO_IO, (r, at) => r.number(at + offset));
const sched = <T>(read: (r: RecordReader, at: number) => T) =>
  inGroup(abi.PIDINFO_SCHED, abi.SIZEOF_PIDINFO_SCHED, read);
const times = (member: 'utime' | 'stime', offset: number) =>
  inGroup(abi.PIDINFO_TIMES, abi.SIZEOF_PIDINFO_TIMES, (r, at) => {
    if (r.u32(at + abi.PIDINFO_TIMES_FLAGS) & abi.PIDINFO_ADJUSTED) return ticks(r.number(at + offset));
    const adjusted = adjustedTimes({
      utime: r.number(at + abi.PIDINFO_TIMES_UTIME),
      stime: r.number(at + abi.PIDINFO_TIMES_STIME),
      runtime: r.number(at + abi.PIDINFO_TIMES_RUNTIME),
      prevUtime: r.number(at + abi.PIDINFO_TIMES_PREV_UTIME),
      prevStime: r.number(at + abi.PIDINFO_TIMES_PREV_STIME),
    });
    return ticks(adjusted[member]);
  });

/** In the order in which /proc/PID/ns lists them. */
const NAMESPACES = [
  ['cgroup', abi.PIDINFO_NAMESPACES_CGROUP],
  ['ipc', abi.PIDINFO_NAMESPACES_IPC],
  ['mnt', abi.PIDINFO_NAMESPACES_MNT],
  ['net', abi.PIDINFO_NAMESPACES_NET],
  ['pid', abi.PIDINFO_NAMESPACES_PID],
  ['pid_for_children', abi.PIDINFO_NAMESPACES_PID_FOR_CHILDREN],
  ['time', abi.PIDINFO_NAMESPACES_TIME],
  ['time_for_children', abi.PIDINFO_NAMESPACES_TIME_FOR_CHILDREN],
  ['user', abi.PIDINFO_NAMESPACES_USER],
  ['uts', abi.PIDINFO_NAMESPACES_UTS],
] as const;
export type NamespaceName = (typeof NAMESPACES)[number][0];
/** Inode numbers; one that is not known is absent. */
export type Namespaces = { -readonly [N in NamespaceName]?: number };

function namespaces(r: RecordReader, at: number): Namespaces {
  const result: Namespaces = {};
  for (const [name, offset] of NAMESPACES) {
    const inode = r.u32(at + offset);
    if (inode !== 0) result[name] = inode;
  }
  return result;
}

/** Lines `id:controllers:path` of /proc/PID/cgroup, those of version 1: cgroups(7). */
function hierarchies(r: RecordReader): Readonly<Record<string, string>> | undefined {
  const bytes = r.payload(abi.PIDINFO_CGROUPS_V1);
  if (!bytes) return undefined;
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const match = /^\d+:([^:]+):(.*)$/.exec(line);
      return match ? [[match[1], match[2]]] : [];
    }),
  );
}

/** The bytes of the path that this record tells, if it tells one. */
export function cgroupPath(r: RecordReader): string | undefined {
  const bytes = r.payload(abi.PIDINFO_CGROUP_PATH);
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

const fds = files(abi.PIDINFO_FILES_COUNT);
const fdLimit = rlimit(abi.PIDINFO_LIMIT_SOFT);

/** What a record alone does not tell: it comes from another source, or from the time of boot. */
export type OfTheList = 'args' | 'exe' | 'cgroup' | 'started';

export const DECODERS = {
  pid: (r) => r.i32(r.at + abi.PIDINFO_RECORD_PID),
  tid: (r) => r.i32(r.at + abi.PIDINFO_RECORD_TID),
  ppid: status((r, at) => r.i32(at + abi.PIDINFO_STATUS_PPID)),
  pgid: status((r, at) => r.i32(at + abi.PIDINFO_STATUS_PGID)),
  sid: status((r, at) => r.i32(at + abi.PIDINFO_STATUS_SID)),
  tty: status((r, at) => ttyName(r.u32(at + abi.PIDINFO_STATUS_TTY))),
  state: status((r, at) => stateLetter(r.u32(at + abi.PIDINFO_STATUS_STATE))),
  command: status((r, at) => r.text(at + abi.PIDINFO_STATUS_COMMAND, 16)),
  kernelThread: status((r, at) => (r.u32(at + abi.PIDINFO_STATUS_TASK_FLAGS) & PF_KTHREAD) !== 0),
  threads: status((r, at) => r.u32(at + abi.PIDINFO_STATUS_THREADS)),
  uid: creds(abi.PIDINFO_CREDS_UID),
  euid: creds(abi.PIDINFO_CREDS_EUID),
  suid: creds(abi.PIDINFO_CREDS_SUID),
  fsuid: creds(abi.PIDINFO_CREDS_FSUID),
  gid: creds(abi.PIDINFO_CREDS_GID),
  egid: creds(abi.PIDINFO_CREDS_EGID),
  sgid: creds(abi.PIDINFO_CREDS_SGID),
  fsgid: creds(abi.PIDINFO_CREDS_FSGID),
  capEff: (r) => {
    const at = r.attribute(abi.PIDINFO_CREDS, abi.SIZEOF_PIDINFO_CREDS) + abi.PIDINFO_CREDS_CAP_EFFECTIVE;
    return at === abi.PIDINFO_CREDS_CAP_EFFECTIVE ? undefined : capabilities(r.u32(at), r.u32(at + 4));
  },
  startTime: (r) => ticks(r.number(r.at + abi.PIDINFO_RECORD_START_TIME)),
  userTime: times('utime', abi.PIDINFO_TIMES_UTIME),
  systemTime: times('stime', abi.PIDINFO_TIMES_STIME),
  vsize: memory(abi.PIDINFO_MEMORY_VSIZE),
  rss: memory(abi.PIDINFO_MEMORY_RSS),
  shared: memory(abi.PIDINFO_MEMORY_SHARED),
  minorFaults: faults(abi.PIDINFO_FAULTS_MINOR),
  majorFaults: faults(abi.PIDINFO_FAULTS_MAJOR),
  readBytes: io(abi.PIDINFO_IO_READ_BYTES),
  writeBytes: io(abi.PIDINFO_IO_WRITE_BYTES),
  priority: sched((r, at) => r.i32(at + abi.PIDINFO_SCHED_PRIORITY)),
  nice: sched((r, at) => r.i32(at + abi.PIDINFO_SCHED_NICE)),
  policy: sched((r, at) => policyName(r.u32(at + abi.PIDINFO_SCHED_POLICY))),
  cpu: sched((r, at) => r.u32(at + abi.PIDINFO_SCHED_CPU)),
  oomScoreAdj: sched((r, at) => r.i32(at + abi.PIDINFO_SCHED_OOM_SCORE_ADJ)),
  cgroupId: inGroup(abi.PIDINFO_CGROUP, abi.SIZEOF_PIDINFO_CGROUP, (r, at) =>
    r.number(at + abi.PIDINFO_CGROUP_ID),
  ),
  cgroups: hierarchies,
  namespaces: inGroup(abi.PIDINFO_NAMESPACES, abi.SIZEOF_PIDINFO_NAMESPACES, namespaces),
  fds,
  fdTable: files(abi.PIDINFO_FILES_TABLE),
  fdLimit,
  fdLimitMax: rlimit(abi.PIDINFO_LIMIT_HARD),
  files: kinds(abi.PIDINFO_KINDS_FILES),
  sockets: kinds(abi.PIDINFO_KINDS_SOCKETS),
  pipes: kinds(abi.PIDINFO_KINDS_PIPES),
  other: kinds(abi.PIDINFO_KINDS_OTHER),
  fdUse: (r) => {
    const count = fds(r);
    const most = fdLimit(r);
    return count === undefined || most === undefined ? undefined : most === 0 ? 1 : count / most;
  },
} as const satisfies Record<Exclude<ProcessField, OfTheList>, Decoder<unknown>>;

type Value<T> = T extends Decoder<infer V> ? V : never;

/** Everything that is known about a process. A member that is absent is not known; times in ms, sizes in bytes. */
export type ProcessValues = {
  -readonly [F in keyof typeof DECODERS]?: Exclude<Value<(typeof DECODERS)[F]>, undefined>;
};

/** Fields that are numbers. */
export type NumericField = {
  [F in keyof typeof DECODERS]: Exclude<Value<(typeof DECODERS)[F]>, undefined> extends number ? F : never;
}[keyof typeof DECODERS];
