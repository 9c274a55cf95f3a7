/** pidinfo from the text files of /proc/PID, as records: only the files that the fields need are read. */

import { RecordWriter } from '../../abi/attributes.ts';
import * as abi from '../../abi/layout.gen.ts';
import { NOT_KNOWN } from '../../abi/pidinfo/decode.ts';
import { groupsOf, type ProcessField } from '../../abi/pidinfo/fields.ts';
import { stateOf } from '../../abi/pidinfo/values.ts';
import { ESRCH } from '../../sys/errno.ts';
import { directorySize, errnoOfProcess, type ProcFiles } from './files.ts';
import { openFilesLimit, statusWords } from './pidinfo-text.ts';
import { type ProcessStat, parseStat } from './stat.ts';

/** A clock tick of USER_HZ. */
const TICK_NS = 1e7;

export class ProcessReader {
  readonly #files: ProcFiles;
  readonly #fields: ReadonlySet<ProcessField>;
  readonly #groups: number;
  readonly #writer = new RecordWriter(1 << 16);

  constructor(files: ProcFiles, fields: ReadonlySet<ProcessField>) {
    this.#files = files;
    this.#fields = fields;
    this.#groups = groupsOf(fields);
  }

  /** All that was added. */
  get records(): Uint8Array {
    return this.#writer.finish();
  }

  /** A record of the process, or one that says why there is none. */
  add(pid: number): void {
    const error = this.#read(pid);
    if (error < 0) this.#begin(pid);
    this.#writer.end(error);
  }

  #begin(pid: number): RecordWriter {
    const writer = this.#writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
    return writer
      .setU32(writer.fixed(abi.PIDINFO_RECORD_PID), pid)
      .setU32(writer.fixed(abi.PIDINFO_RECORD_TID), pid);
  }

  /** 0 or a negative errno: the process may go between one file and the next. */
  #read(pid: number): number {
    if (pid <= 0) return -ESRCH;
    const directory = `/proc/${pid}`;
    const text = this.#files.text(`${directory}/stat`);
    if (typeof text === 'number') return errnoOfProcess(text);
    const stat = parseStat(text);
    if (!stat) return -ESRCH;
    const writer = this.#begin(pid);
    writer.setNumber(writer.fixed(abi.PIDINFO_RECORD_START_TIME), stat.startTime * TICK_NS);
    if (this.#wants(abi.PIDINFO_STATUS)) this.#addStatus(stat);
    if (this.#wants(abi.PIDINFO_CREDS) || this.#fields.has('fdTable')) {
      const status = this.#files.text(`${directory}/status`);
      if (typeof status === 'number') return errnoOfProcess(status);
      if (this.#wants(abi.PIDINFO_CREDS)) this.#addCreds(status);
      if (this.#wants(abi.PIDINFO_FILES)) this.#addFiles(directory, statusWords(status, 'FDSize'));
    } else if (this.#wants(abi.PIDINFO_FILES)) {
      this.#addFiles(directory, undefined);
    }
    if (this.#wants(abi.PIDINFO_LIMIT)) {
      const limits = this.#files.text(`${directory}/limits`);
      if (typeof limits === 'number') return errnoOfProcess(limits);
      this.#addLimit(limits);
    }
    return 0;
  }

  #wants(group: number): boolean {
    return (this.#groups & (1 << group)) !== 0;
  }

  #addStatus(stat: ProcessStat): void {
    const writer = this.#writer;
    const at = writer.attribute(abi.PIDINFO_STATUS, abi.SIZEOF_PIDINFO_STATUS);
    writer
      .setU32(at + abi.PIDINFO_STATUS_PPID, stat.ppid)
      .setU32(at + abi.PIDINFO_STATUS_PGID, stat.pgid)
      .setU32(at + abi.PIDINFO_STATUS_SID, stat.sid)
      .setU32(at + abi.PIDINFO_STATUS_STATE, stateOf(stat.state))
      .setU32(at + abi.PIDINFO_STATUS_TASK_FLAGS, stat.flags)
      .setU32(at + abi.PIDINFO_STATUS_THREADS, stat.threads)
      .setU32(at + abi.PIDINFO_STATUS_TTY, stat.tty)
      .setBytes(at + abi.PIDINFO_STATUS_COMMAND, Buffer.from(stat.command, 'latin1').subarray(0, 15))
      .valid(abi.PIDINFO_STATUS);
  }

  #addCreds(status: string): void {
    const uids = statusWords(status, 'Uid')?.map(Number);
    const gids = statusWords(status, 'Gid')?.map(Number);
    const capabilities = statusWords(status, 'CapEff')?.[0];
    if (uids?.length !== 4 || gids?.length !== 4 || capabilities === undefined) return;
    const [uid, euid, suid, fsuid] = uids as [number, number, number, number];
    const [gid, egid, sgid, fsgid] = gids as [number, number, number, number];
    const writer = this.#writer;
    const at = writer.attribute(abi.PIDINFO_CREDS, abi.SIZEOF_PIDINFO_CREDS);
    writer
      .setU32(at + abi.PIDINFO_CREDS_UID, uid)
      .setU32(at + abi.PIDINFO_CREDS_EUID, euid)
      .setU32(at + abi.PIDINFO_CREDS_SUID, suid)
      .setU32(at + abi.PIDINFO_CREDS_FSUID, fsuid)
      .setU32(at + abi.PIDINFO_CREDS_GID, gid)
      .setU32(at + abi.PIDINFO_CREDS_EGID, egid)
      .setU32(at + abi.PIDINFO_CREDS_SGID, sgid)
      .setU32(at + abi.PIDINFO_CREDS_FSGID, fsgid)
      .setU64(at + abi.PIDINFO_CREDS_CAP_EFFECTIVE, BigInt(`0x${capabilities}`))
      .valid(abi.PIDINFO_CREDS);
  }

  #addFiles(directory: string, table: readonly string[] | undefined): void {
    const writer = this.#writer;
    const at = writer.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
    writer
      .setU32(at + abi.PIDINFO_FILES_COUNT, this.#count(directory))
      .setU32(at + abi.PIDINFO_FILES_TABLE, table ? Number(table[0]) : NOT_KNOWN)
      .valid(abi.PIDINFO_FILES);
  }

  /** The size of the directory since Linux 6.2 (f1f1f2569901), when it is not empty; before, its listing. */
  #count(directory: string): number {
    const size = directorySize(`${directory}/fd`);
    if (size > 0) return size;
    const numbers = this.#files.numbers(`${directory}/fd`);
    return typeof numbers === 'number' ? NOT_KNOWN : numbers.length;
  }

  #addLimit(limits: string): void {
    const found = openFilesLimit(limits);
    if (!found) return;
    const writer = this.#writer;
    const at = writer.attribute(abi.PIDINFO_LIMIT, abi.SIZEOF_PIDINFO_LIMIT);
    writer
      .setU64(at + abi.PIDINFO_LIMIT_SOFT, found.soft)
      .setU64(at + abi.PIDINFO_LIMIT_HARD, found.hard)
      .valid(abi.PIDINFO_LIMIT);
  }
}
