/** pidinfo from the text files of /proc/PID, as records: only the files that the fields need are read. */

import { RecordWriter } from '../../abi/attributes.ts';
import * as abi from '../../abi/layout.gen.ts';
import { groupsOf, type ProcessField } from '../../abi/pidinfo/fields.ts';
import type { KindCounts } from '../../abi/pidinfo/kinds.ts';
import { ESRCH } from '../../sys/errno.ts';
import { CgroupIds } from './cgroup.ts';
import { KindReader } from './fdinfo/kinds.ts';
import { errnoOfProcess, type ProcFiles } from './files.ts';
import * as groups from './pidinfo-groups.ts';
import { statusWords } from './pidinfo-text.ts';
import { parseStat } from './stat.ts';

/** A clock tick of USER_HZ. */
const TICK_NS = 1e7;

/** What a group's attribute is written from. */
export interface Source {
  readonly files: ProcFiles;
  readonly fields: ReadonlySet<ProcessField>;
  readonly pageSize: number;
  /** `/proc/PID`, or `/proc/TID/task/TID` for what a thread alone has used. */
  readonly directory: string;
  /** The status file, read once, or a negative errno. */
  status(): string | number;
  /** The cgroup file, as well. */
  cgroup(): string | number;
  cgroupIds(): CgroupIds;
  /** The kinds of its descriptors, or a negative errno. */
  kinds(): KindCounts | number;
}

export interface ReaderOptions {
  readonly fields: ReadonlySet<ProcessField>;
  /** Each number may be a thread's. */
  readonly named: boolean;
  /** Each number is a thread's, and it alone is meant. */
  readonly threads: boolean;
  readonly pageSize: number;
}

export class ProcessReader {
  readonly #files: ProcFiles;
  readonly #options: ReaderOptions;
  readonly #groups: number;
  readonly #writer = new RecordWriter(1 << 16);
  #cgroupIds: CgroupIds | undefined;
  #kinds: KindReader | undefined;

  constructor(files: ProcFiles, options: ReaderOptions) {
    this.#files = files;
    this.#options = options;
    this.#groups = groupsOf(options.fields);
  }

  /** All that was added. */
  get records(): Uint8Array {
    return this.#writer.finish();
  }

  /** A record of the process, or one that says why there is none. */
  add(pid: number): void {
    const error = this.#read(pid);
    if (error < 0) this.#begin(pid, pid);
    this.#writer.end(error);
  }

  #begin(pid: number, tid: number): RecordWriter {
    const writer = this.#writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
    return writer
      .setU32(writer.fixed(abi.PIDINFO_RECORD_PID), pid)
      .setU32(writer.fixed(abi.PIDINFO_RECORD_TID), tid);
  }

  /** 0 or a negative errno: the process may go between one file and the next. */
  #read(tid: number): number {
    if (tid <= 0) return -ESRCH;
    const { named, threads } = this.#options;
    const directory = threads ? `/proc/${tid}/task/${tid}` : `/proc/${tid}`;
    const text = this.#files.text(`${directory}/stat`);
    if (typeof text === 'number') return errnoOfProcess(text);
    const stat = parseStat(text);
    if (!stat) return -ESRCH;
    let pid = tid;
    const source = this.#source(directory, () => pid, tid);
    if (named || threads) {
      const status = source.status();
      if (typeof status === 'number') return errnoOfProcess(status);
      pid = Number(statusWords(status, 'Tgid')?.[0]);
    }
    const writer = this.#begin(pid, tid);
    writer.setNumber(writer.fixed(abi.PIDINFO_RECORD_START_TIME), stat.startTime * TICK_NS);
    for (const [group, add] of groups.OF_STAT) {
      const error = this.#wants(group) ? add(writer, stat, source) : 0;
      if (error < 0) return errnoOfProcess(error);
    }
    for (const [group, add] of groups.OF_FILES) {
      const error = this.#wants(group) ? add(writer, source) : 0;
      if (error < 0) return errnoOfProcess(error);
    }
    return 0;
  }

  #source(directory: string, pid: () => number, tid: number): Source {
    let status: string | number | undefined;
    let cgroup: string | number | undefined;
    return {
      files: this.#files,
      fields: this.#options.fields,
      pageSize: this.#options.pageSize,
      directory,
      status: () => {
        status ??= this.#files.text(`${directory}/status`);
        return status;
      },
      cgroup: () => {
        cgroup ??= this.#files.text(`${directory}/cgroup`);
        return cgroup;
      },
      cgroupIds: () => {
        this.#cgroupIds ??= new CgroupIds(this.#files);
        return this.#cgroupIds;
      },
      kinds: () => {
        this.#kinds ??= new KindReader(this.#files);
        return this.#kinds.counts(directory, pid(), tid);
      },
    };
  }

  #wants(group: number): boolean {
    return (this.#groups & (1 << group)) !== 0;
  }
}
