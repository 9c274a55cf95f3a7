/** fdinfo out of /proc: a chunk of records for each process, the same records as the kernel's. */

import { RecordWriter } from '../../../abi/attributes.ts';
import { Chunk } from '../../../abi/fdinfo/record.ts';
import * as abi from '../../../abi/layout.gen.ts';
import type { Door } from '../../../sys/door.ts';
import { EACCES, EPERM, ESRCH } from '../../../sys/errno.ts';
import type { DescriptorStream, FdinfoQuestion } from '../../fdinfo.ts';
import { errnoOfProcess, linkText, type ProcFiles } from '../files.ts';
import { DescriptorReader, isOfCaller } from './descriptor.ts';
import { OwnMounts } from './link.ts';
import { isLocal } from './mounts.ts';
import { addMappings, addPlace } from './places.ts';
import { ownTables, type Subject, statusOf, subjectOf } from './process.ts';
import { SocketFinder } from './sockets.ts';

export class ProcStream implements DescriptorStream {
  readonly #files: ProcFiles;
  readonly #door: Door | undefined;
  readonly #pids: readonly number[];
  readonly #question: FdinfoQuestion;
  readonly #reader: DescriptorReader;
  #next = 0;

  constructor(files: ProcFiles, door: Door | undefined, pids: readonly number[], question: FdinfoQuestion) {
    this.#files = files;
    this.#door = door;
    this.#pids = pids;
    this.#question = question;
    const sockets = new SocketFinder(files, door);
    this.#reader = new DescriptorReader(files, sockets, question, new OwnMounts(files, isLocal));
  }

  next(): Chunk | number {
    while (this.#next < this.#pids.length) {
      const writer = new RecordWriter(16 * 1024);
      const errno = this.#process(this.#pids[this.#next++] as number, writer);
      if (errno < 0) return errno;
      const bytes = writer.finish();
      if (bytes.length > 0) return Chunk.copyOf(bytes);
    }
    return 0;
  }

  close(): void {
    this.#next = this.#pids.length;
  }

  /** Process or thread. A negative errno only for what is about the caller, such as EMFILE. */
  #process(number: number, writer: RecordWriter): number {
    const status = number < 0 ? -ESRCH : statusOf(this.#files, number);
    if (typeof status === 'number') return this.#refused(status, number, writer);
    const { pid, zombie, threads, uid } = status;
    // A first thread that has exited has no table, and what it had been allowed cannot be told by it.
    const leaderless = number === pid && zombie && threads > 1;
    if (!leaderless) {
      const subject = subjectOf(this.#files, pid, number, uid);
      const errno = this.#table(subject, writer);
      if (errno < 0) return this.#refused(errno, number, writer);
      if (this.#question.places)
        for (const name of ['cwd', 'root', 'exe'] as const)
          addPlace(subject, name, this.#question.stat, writer);
      if (this.#question.mappings) addMappings(this.#files, subject, writer);
    }
    return number === pid ? this.#threads(pid, status, leaderless, writer) : 0;
  }

  #threads(
    pid: number,
    status: Parameters<typeof ownTables>[3],
    leaderless: boolean,
    writer: RecordWriter,
  ): number {
    const tids = ownTables(this.#files, this.#door, pid, status);
    if (typeof tids === 'number') return isOfCaller(tids) ? tids : 0;
    for (const tid of tids) {
      // Users are those of threads, not of processes.
      const own = statusOf(this.#files, tid);
      if (typeof own === 'number') {
        if (isOfCaller(own)) return own;
        continue;
      }
      const errno = this.#table(subjectOf(this.#files, pid, tid, own.uid), writer);
      if (errno >= 0) continue;
      if (isOfCaller(errno)) return errno;
      if (leaderless) return this.#refused(errno, pid, writer);
    }
    return 0;
  }

  /** The descriptors of one table, ascending, or a negative errno. */
  #table(subject: Subject, writer: RecordWriter): number {
    const numbers = this.#files.numbers(`${subject.directory}/fd`);
    if (typeof numbers === 'number') return numbers;
    // Files are readable by the access check alone, the directory by its mode: both must agree.
    if (linkText(`${subject.directory}/cwd`) === -EACCES) return -EACCES;
    // node:fs has names in the order of text.
    for (const fd of numbers.sort((x, y) => x - y)) {
      if (this.#question.fd !== undefined && this.#question.fd !== fd) continue;
      const errno = this.#reader.add(subject, fd, writer);
      if (errno < 0) return errno;
    }
    return 0;
  }

  #refused(errno: number, pid: number, writer: RecordWriter): number {
    const about = errnoOfProcess(errno);
    if (about === -EACCES || about === -EPERM) {
      writer.begin(abi.FDINFO_KIND_HIDDEN, abi.SIZEOF_FDMAP_RECORD).end();
      return 0;
    }
    if (about !== -ESRCH) return about;
    // Of all processes one that has gone is none.
    if (this.#question.pid === undefined) return 0;
    writer.begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDINFO_RECORD);
    writer.setU32(writer.fixed(abi.FDINFO_RECORD_PID), pid).end(about);
    return 0;
  }
}
