/** Rows from records of the kind PROCESS. */

import type { RecordReader } from '../attributes.ts';
import * as abi from '../layout.gen.ts';
import type { ProcessField } from './fields.ts';
import { capabilities, limit, stateLetter, ticks, ttyName } from './values.ts';

/** PF_KTHREAD of include/linux/sched.h */
const PF_KTHREAD = 0x0020_0000;
/** A number that the backend could not tell. */
export const NOT_KNOWN = 0xffff_ffff;

/** Value of a field in the record that the reader is at; undefined where it is not known. */
type Decoder<T> = (r: RecordReader) => T | undefined;

const status =
  <T>(read: (r: RecordReader, at: number) => T): Decoder<T> =>
  (r) => {
    const at = r.attribute(abi.PIDINFO_STATUS, abi.SIZEOF_PIDINFO_STATUS);
    return at === 0 ? undefined : read(r, at);
  };
const creds =
  (offset: number): Decoder<number> =>
  (r) => {
    const at = r.attribute(abi.PIDINFO_CREDS, abi.SIZEOF_PIDINFO_CREDS);
    return at === 0 ? undefined : r.u32(at + offset);
  };
const files =
  (offset: number): Decoder<number> =>
  (r) => {
    const at = r.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
    const value = at === 0 ? NOT_KNOWN : r.u32(at + offset);
    return value === NOT_KNOWN ? undefined : value;
  };
const rlimit =
  (offset: number): Decoder<number> =>
  (r) => {
    const at = r.attribute(abi.PIDINFO_LIMIT, abi.SIZEOF_PIDINFO_LIMIT);
    return at === 0 ? undefined : limit(r.number(at + offset));
  };

const fds = files(abi.PIDINFO_FILES_COUNT);
const fdLimit = rlimit(abi.PIDINFO_LIMIT_SOFT);

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
  fds,
  fdTable: files(abi.PIDINFO_FILES_TABLE),
  fdLimit,
  fdLimitMax: rlimit(abi.PIDINFO_LIMIT_HARD),
  fdUse: (r) => {
    const count = fds(r);
    const most = fdLimit(r);
    return count === undefined || most === undefined ? undefined : most === 0 ? 1 : count / most;
  },
} as const satisfies Record<ProcessField, Decoder<unknown>>;

type Value<T> = T extends Decoder<infer V> ? V : never;

/** Everything that is known about a process. A member that is absent is not known; times in ms, sizes in bytes. */
export type ProcessValues = {
  -readonly [F in ProcessField]?: Exclude<Value<(typeof DECODERS)[F]>, undefined>;
};
