import { uptime } from 'node:os';
import { DEFAULT_FIELDS, PROCESS_FIELD_NAMES, type ProcessField } from '../abi/pidinfo/fields.ts';
import type { Backend } from '../backends/backend.ts';
import { readArgs } from '../backends/proc/args.ts';
import { ProcFiles } from '../backends/proc/files.ts';
import { SystemError } from '../errors.ts';
import { sinceBoot } from '../sys/calls.ts';
import { EOPNOTSUPP } from '../sys/errno.ts';
import { nativeDoor } from '../sys/ffi.ts';
import { checkOneOf, checkPid } from './arguments.ts';
import { ProcessList, startTimesIn } from './process-list.ts';

export interface PidinfoOptions {
  /**
   * What is wanted of each process; what is not is not asked for either. Default: everything but
   * `args`, which comes from /proc/PID/cmdline whatever the backend, and is absent without /proc
   * (`argsError` says so), `exe`, for which the processes are walked once more, and `files`,
   * `sockets`, `pipes` and `other`, for which the kernel looks at each descriptor.
   */
  readonly fields?: readonly ProcessField[] | undefined;
  /** A row for each thread, with its own `tid`, state, times, faults and bytes. Default false. */
  readonly threads?: boolean | undefined;
}

/** In a row of a process `tid` would only repeat the pid. */
const FIELDS_OF_PROCESSES = DEFAULT_FIELDS.filter((field) => field !== 'tid');

let files: ProcFiles | undefined;
let bootTime: number | undefined;

/** Wall-clock time of boot; found out once, so that one process has one `started` for each other. */
export function timeOfBoot(): number {
  bootTime ??= Math.round((Date.now() - (nativeDoor ? sinceBoot(nativeDoor) : uptime() * 1000)) / 10) * 10;
  return bootTime;
}

/** See the call of the same name in index.ts. */
export function pidinfo(
  backend: Backend,
  target: number | readonly number[] | undefined,
  options: PidinfoOptions,
): ProcessList {
  const { threads = false, fields = threads ? DEFAULT_FIELDS : FIELDS_OF_PROCESSES } = options;
  for (const field of fields) checkOneOf(field, PROCESS_FIELD_NAMES, 'field', 'pidinfo');
  const single = typeof target === 'number';
  const about = single ? { pid: target } : {};
  const named = single ? [target] : target;
  for (const pid of named ?? []) checkPid(pid, 'pidinfo');
  const { recorded } = backend;
  // Nobody is the caller of an image.
  const pids = named?.map((pid) => pid || (recorded ? 0 : process.pid));
  const tasks = threads ? pids?.flatMap((pid) => threadsOf(backend, pid)) : pids;
  const ask = (wanted: readonly ProcessField[]) => {
    const answer = backend.pidinfo({ pids: tasks, fields: new Set(wanted), threads });
    if (typeof answer === 'number') throw new SystemError(answer, 'pidinfo', about);
    return answer;
  };
  const records = ask(fields);
  const list = new ProcessList({
    records,
    fields,
    named: pids !== undefined,
    bootTime: recorded ? () => recorded.bootTime : timeOfBoot,
    // Of a machine that may be another, and of a time that has passed.
    args: (pid) => {
      if (recorded) return -EOPNOTSUPP;
      // Made with the first one that is asked for.
      files ??= new ProcFiles(nativeDoor);
      return readArgs(files, pid);
    },
    executables: (processes) => {
      const found = backend.executables(processes);
      // Images have no programs.
      if (found === -EOPNOTSUPP) return new Map();
      if (typeof found === 'number') throw new SystemError(found, 'pidinfo', about);
      return found;
    },
    startTimes: () => startTimesIn(ask(['startTime'])),
  });
  if (single && list.firstError < 0) throw new SystemError(list.firstError, 'pidinfo', about);
  return list;
}

/** The numbers of its threads; for a process that is not there its own, whose record says so. */
function threadsOf(backend: Backend, pid: number): number[] {
  for (let room = 64; ; room *= 8) {
    const target = new Int32Array(room);
    const end = backend.pidmap({ mode: 'threads', pid, start: 0, kthreads: true }, target, 0);
    if (end < 0) return [pid];
    if (end < room) return [...target.subarray(0, end)];
  }
}
