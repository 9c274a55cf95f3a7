/**
 * The slow, universal way: /proc. The same answers as the other backends, but
 * for what docs/backends.md lists.
 */

import { appendSorted } from '../../abi/numbers.ts';
import type { Executable } from '../../abi/pidinfo/executable.ts';
import { getDescriptorFlags, pageSize } from '../../sys/calls.ts';
import type { Door } from '../../sys/door.ts';
import { EACCES, EMFILE, ENOENT, ENOTDIR, EPERM, ESRCH } from '../../sys/errno.ts';
import type { Backend, PidinfoQuestion, PidmapQuestion, Records } from '../backend.ts';
import type { DescriptorStream, FdinfoQuestion } from '../fdinfo.ts';
import { executableOf } from './executable.ts';
import { ProcStream } from './fdinfo/stream.ts';
import { directorySize, errnoOfProcess, linkText, ProcFiles } from './files.ts';
import { ProcessReader } from './pidinfo.ts';
import { type ProcessStat, parseStat } from './stat.ts';

/** Default of fs.nr_open: a table is no longer than this unless an administrator raised it. */
const NR_OPEN = 1 << 20;

/** Where the kernel cannot be asked: all but some machines of arm64. */
const SMALLEST_PAGE = 4096;

export class ProcBackend implements Backend {
  readonly name = 'proc';
  readonly tier = 'C';
  readonly #door: Door | undefined;
  readonly #files: ProcFiles;

  constructor(door: Door | undefined) {
    this.#door = door;
    this.#files = new ProcFiles(door);
  }

  /** For one process: open, a getdents64 for each 1,300 descriptors, close, readlink. */
  fdmap(pid: number, start: number, target: Int32Array, at: number): number {
    if (pid < 0) return -ESRCH;
    const directory = pid === 0 ? '/proc/thread-self' : `/proc/${pid}`;
    const numbers = this.#files.numbers(`${directory}/fd`);
    if (numbers === -EMFILE && pid === 0 && this.#door)
      return this.#ownByFcntl(this.#door, start, target, at);
    if (typeof numbers === 'number') {
      // What has no image any more belongs to root (task_dump_owner() in fs/proc/base.c), so that the
      // directory of one's own zombie is refused. Where the access check passes, cwd is just missing.
      const gone = numbers === -EACCES && linkText(`${directory}/cwd`) === -ENOENT;
      return gone && typeof this.#stat(pid) === 'object' ? at : errnoOfProcess(numbers);
    }
    // The directory is mode 0500 of its owner, and no more: an owner whom the access check refuses
    // (a setuid program that dropped its ids, more capabilities) could list it.
    if (pid !== 0 && linkText(`${directory}/cwd`) === -EACCES) return -EACCES;
    return appendSorted(from(numbers, start), target, at);
  }

  /**
   * Without any descriptor left: every number is asked for, until as many are found as the
   * directory's size says (which takes no descriptor to learn). Neither limit tells where the
   * table ends: what was open when a limit was lowered stays open.
   */
  #ownByFcntl(door: Door, start: number, target: Int32Array, at: number): number {
    const total = directorySize('/proc/thread-self/fd');
    const known = total > 0 ? total : NR_OPEN;
    let index = at;
    for (let fd = 0, found = 0; fd < NR_OPEN && found < known && index < target.length; fd++) {
      if (getDescriptorFlags(door, fd) < 0) continue;
      found++;
      if (fd >= start) target[index++] = fd;
    }
    return index;
  }

  pidmap(question: PidmapQuestion, target: Int32Array, at: number): number {
    const numbers = this.#numbers(question);
    if (typeof numbers === 'number') return numbers;
    const { start, kthreads } = question;
    const wanted = kthreads ? numbers : this.#those(numbers, (stat) => !stat.kthread);
    if (typeof wanted === 'number') return wanted;
    return appendSorted(from(wanted, start), target, at);
  }

  #numbers({ mode, pid }: PidmapQuestion): number[] | number {
    const named = pid === 0 ? process.pid : pid;
    if (mode === 'threads') {
      if (named < 0) return -ESRCH;
      const threads = this.#files.numbers(`/proc/${named}/task`);
      return typeof threads === 'number' ? errnoOfProcess(threads) : threads;
    }
    if (mode === 'children') {
      const group = this.#groupOf(named);
      if (group < 0) return group;
      const processes = this.#files.numbers('/proc');
      return typeof processes === 'number'
        ? processes
        : this.#those(processes, (stat) => stat.ppid === group);
    }
    const processes = this.#files.numbers('/proc');
    if (typeof processes === 'number' || mode === 'processes') return processes;
    const tasks: number[] = [];
    for (const each of processes) {
      const threads = this.#files.numbers(`/proc/${each}/task`);
      if (typeof threads === 'number') {
        if (!isAbsence(threads)) return threads;
      } else for (const thread of threads) tasks.push(thread);
    }
    return tasks;
  }

  /** Those of `numbers` whose stat file passes, or a negative errno. */
  #those(numbers: readonly number[], passes: (stat: ProcessStat) => boolean): number[] | number {
    const found: number[] = [];
    for (const each of numbers) {
      const text = this.#files.text(`/proc/${each}/stat`);
      if (typeof text === 'number') {
        if (!isAbsence(text)) return text;
        continue;
      }
      const stat = parseStat(text);
      if (stat && passes(stat)) found.push(each);
    }
    return found;
  }

  /** The process of a thread; a process is its own. */
  #groupOf(pid: number): number {
    if (pid < 0) return -ESRCH;
    const status = this.#files.text(`/proc/${pid}/status`);
    if (typeof status === 'number') return errnoOfProcess(status);
    const group = /^Tgid:\t(\d+)/m.exec(status);
    return group ? Number(group[1]) : -ESRCH;
  }

  #stat(pid: number) {
    const text = this.#files.text(`/proc/${pid}/stat`);
    return typeof text === 'number' ? undefined : parseStat(text);
  }

  /** For each process one file, or up to seven, eleven links and a directory: see pidinfo-groups.ts. */
  pidinfo({ pids, fields, threads }: PidinfoQuestion): Records | number {
    const mode = threads ? 'tasks' : 'processes';
    const numbers = pids ?? this.#numbers({ mode, pid: 0, start: 0, kthreads: true });
    if (typeof numbers === 'number') return numbers;
    const size = this.#door ? pageSize(this.#door) : SMALLEST_PAGE;
    const reader = new ProcessReader(this.#files, { fields, threads, named: !!pids, pageSize: size });
    // node:fs has names in the order of text.
    for (const pid of pids ? numbers : Int32Array.from(numbers).sort()) reader.add(pid);
    return [reader.records];
  }

  /** A link for each process, and its maps. */
  executables(pids: readonly number[] | undefined): ReadonlyMap<number, Executable> | number {
    const numbers = pids ?? this.#files.numbers('/proc');
    if (typeof numbers === 'number') return numbers;
    const found = new Map<number, Executable>();
    for (const pid of numbers) {
      const executable = executableOf(this.#files, pid);
      if (executable) found.set(pid, executable);
    }
    return found;
  }

  fdinfo(question: FdinfoQuestion): DescriptorStream | number {
    const pids = question.pid === undefined ? this.#files.numbers('/proc') : [question.pid];
    return typeof pids === 'number' ? pids : new ProcStream(this.#files, this.#door, pids, question);
  }

  prepare(): void {
    // Nothing to open ahead: every question opens its files anew.
  }

  close(): void {
    // Nothing is kept open.
  }
}

/** A process has gone, or is not shown. Anything else (no descriptor, no memory) leaves the question open. */
const isAbsence = (errno: number) =>
  errno === -ESRCH || errno === -ENOENT || errno === -EACCES || errno === -EPERM;

const from = (numbers: number[], start: number) =>
  Int32Array.from(start > 0 ? numbers.filter((n) => n >= start) : numbers);

/** Is a proc file system mounted at /proc? A negative errno if not. */
export function probeProc(): number {
  const self = linkText('/proc/self');
  if (typeof self === 'string') return 0;
  return self === -ENOTDIR ? -ENOENT : self;
}
