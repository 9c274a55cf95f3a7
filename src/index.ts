/**
 * fdmap(2) and pidmap(2): the descriptors of a process and the pids of a
 * machine, in bulk and in binary.
 *
 * @packageDocumentation
 */

import { type Diagnosis, diagnose as diagnoseHere } from './calls/diagnose.ts';
import type { FdmapIntoOptions, FdmapOptions } from './calls/fdmap.ts';
import { defaultHandle, type OpenOptions } from './calls/open.ts';
import type { PidinfoOptions } from './calls/pidinfo.ts';
import type { PidmapIntoOptions, PidmapOptions } from './calls/pidmap.ts';
import type { ProcessList } from './calls/process-list.ts';

export type { ProcessField } from './abi/pidinfo/fields.ts';
export type { BackendName, PidmapMode } from './backends/backend.ts';
export { BACKEND_CHOICES, type BackendChoice } from './backends/select.ts';
export type { Privileges, ProcMount, Restrictions } from './backends/surroundings.ts';
export type { Diagnosis, FeatureReport } from './calls/diagnose.ts';
export type { FdmapIntoOptions, FdmapOptions } from './calls/fdmap.ts';
export { type Handle, type OpenOptions, open } from './calls/open.ts';
export type { PidinfoOptions } from './calls/pidinfo.ts';
export type { PidmapIntoOptions, PidmapOptions } from './calls/pidmap.ts';
export type { Process, ProcessList, ReadError } from './calls/process-list.ts';
export { ArgumentError, DecodeError, FdmapError, type FdmapErrorCode, SystemError } from './errors.ts';

/**
 * `fdmap(pid)` - the open descriptors of a process or thread, ascending.
 *
 * Asks the kernel for the open_fds bitmap of the task's descriptor table: one
 * system call up to 1,024 descriptors, one more for each 261,760 beyond (proc
 * backend: one for each 1,300). The numbers are those at one moment within each
 * window; descriptors that are being opened just then are included.
 *
 * @param pid process or thread in the caller's pid namespace; 0, the default, is the calling thread, and
 *   needs no right. A thread that unshared its table (CLONE_FILES) has its own. A kernel thread has none.
 * @returns a view of a shared pool for short answers, as Buffer's are; empty at the end of the table
 * @throws SystemError `EINVAL` for `start` below 0; `ESRCH` for no such task; `EACCES` where
 *   readlink(/proc/PID/fd/N) would be refused; tested in this order
 */
export function fdmap(pid = 0, options: FdmapOptions = {}): Int32Array {
  return defaultHandle().fdmap(pid, options);
}

/**
 * `fdmapInto(target, pid)` - {@link fdmap} without any allocation: writes up to
 * `target.length` numbers and returns how many. 0 is the end of the table.
 *
 * @throws as {@link fdmap}
 */
export function fdmapInto(target: Int32Array, pid = 0, options?: FdmapIntoOptions): number {
  return defaultHandle().fdmapInto(target, pid, options);
}

/**
 * `pidmap({mode})` - numbers of processes or threads in the caller's pid
 * namespace, ascending, each once.
 *
 * One walk of the kernel's task list: 1 to 2 system calls up to 8,180 numbers
 * (proc backend: one or more for each process). Whatever lives from the
 * beginning of the call to its end is in the answer; the rest may be, and may be
 * gone by the time it is read. The cursor is the number itself, so that those
 * that come and go do not shift it.
 *
 * @throws SystemError `EINVAL` for a bad mode or start; `ESRCH` for no such `pid` in the modes that take one
 */
export function pidmap(options: PidmapOptions = {}): Int32Array {
  return defaultHandle().pidmap(options);
}

/**
 * `pidmapInto(target, {mode})` - {@link pidmap} into the caller's array: the
 * smallest numbers from `start` on, and returns how many.
 *
 * @throws as {@link pidmap}
 */
export function pidmapInto(target: Int32Array, options: PidmapIntoOptions = {}): number {
  return defaultHandle().pidmapInto(target, options);
}

/**
 * `pidinfo(pid | pids | nothing)` - status of one process, of several, or of
 * every process of the caller's pid namespace.
 *
 * The kernel backend asks a program: one system call for each 32 KiB of records
 * (about 70 processes with every field, 512 with a few), and one or two for the
 * list of all. The proc backend reads, for each process, the files that the
 * fields need. The answer of each process is of one moment; that of all is not.
 *
 * A process is identified by its pid and its `startTime` together. Fields that
 * are not known are absent from a row.
 *
 * @param target a process or thread, or several; without it, every process. 0 is the caller.
 * @throws SystemError `ESRCH` when a single pid is named and there is no such process. In a bulk call it is
 *   a row `{pid, error}`. `EINVAL` for a pid that is no 32-bit integer, and for a field that does not exist.
 */
export function pidinfo(target?: number | readonly number[], options: PidinfoOptions = {}): ProcessList {
  return defaultHandle().pidinfo(target, options);
}

/**
 * `diagnose()` - what works on this machine, for this process, and why not.
 *
 * Loads each of the package's own kernel objects, asks it about this process and
 * closes it again: about 150 ms and 150 system calls, no descriptor afterwards.
 * Never throws for what does not work: that is its answer.
 *
 * @param options `backend` as in {@link open}: the choice that is explained
 */
export function diagnose(options: OpenOptions = {}): Diagnosis {
  return diagnoseHere(options);
}
