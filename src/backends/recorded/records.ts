/** Where in an image which process has its records; every head and attribute is looked at once. */

import { RecordReader } from '../../abi/attributes.ts';
import { checkRecord } from '../../abi/fdinfo/decode.ts';
import type { Chunk } from '../../abi/fdinfo/record.ts';
import * as abi from '../../abi/layout.gen.ts';
import { DecodeError } from '../../errors.ts';

/** Records that follow each other and are of one process. */
interface Run {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

export interface Status {
  readonly record: Uint8Array;
  readonly error: number;
  readonly ppid: number;
  readonly kernelThread: boolean;
  /** Open descriptors; -1: not known. */
  readonly fds: number;
}

const PF_KTHREAD = 0x0020_0000;

export class RecordIndex {
  readonly chunks: Chunk[] = [];
  readonly runs = new Map<number, Run[]>();
  /** Chunks that have rows of places or mappings among the others. */
  readonly mixed = new Set<Chunk>();
  readonly statuses = new Map<number, Status>();

  /** Takes in a chunk as far as it is good. @throws DecodeError, and what came before is in */
  addDescriptors(chunk: Chunk, shorten: (length: number) => Chunk): void {
    const found: { pid: number; start: number; end: number }[] = [];
    let current: (typeof found)[number] | undefined;
    let places = false;
    let damage: unknown;
    let at = 0;
    try {
      while (at < chunk.u8.length) {
        const next = checkRecord(chunk, at);
        const kind = chunk.kind(at);
        if (kind === abi.FDMAP_KIND_DESCRIPTOR) {
          const pid = chunk.int(at + abi.FDINFO_RECORD_PID);
          if (chunk.int(at + abi.FDINFO_RECORD_FD) < 0) places = true;
          if (current?.pid === pid && current.end === at) current.end = next;
          else {
            current = { pid, start: at, end: next };
            found.push(current);
          }
        } else if (kind === abi.FDINFO_KIND_MORE && current) current.end = next;
        at = next;
      }
    } catch (error) {
      damage = error;
    }
    const good = damage === undefined ? chunk : shorten(at);
    this.chunks.push(good);
    if (places) this.mixed.add(good);
    for (const { pid, start, end } of found) {
      const runs = this.runs.get(pid);
      if (runs) runs.push({ chunk: good, start, end });
      else this.runs.set(pid, [{ chunk: good, start, end }]);
    }
    if (damage !== undefined) throw damage;
  }

  /** @throws DecodeError; what came before is in */
  addProcesses(bytes: Uint8Array, base: number): void {
    const reader = new RecordReader(bytes);
    try {
      while (reader.next()) {
        if (reader.kind !== abi.FDMAP_KIND_PROCESS) continue;
        if (reader.fixed < abi.SIZEOF_PIDINFO_RECORD)
          throw new DecodeError(`a process with a fixed part of ${reader.fixed} bytes`, reader.at);
        const status = reader.attribute(abi.PIDINFO_STATUS, abi.SIZEOF_PIDINFO_STATUS);
        const files = reader.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
        this.statuses.set(reader.i32(reader.at + abi.PIDINFO_RECORD_PID), {
          record: bytes.subarray(reader.at, reader.at + reader.size),
          error: reader.error,
          ppid: status ? reader.i32(status + abi.PIDINFO_STATUS_PPID) : 0,
          kernelThread: status
            ? (reader.u32(status + abi.PIDINFO_STATUS_TASK_FLAGS) & PF_KTHREAD) !== 0
            : false,
          fds: files ? reader.i32(files + abi.PIDINFO_FILES_COUNT) : -1,
        });
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw error.moved(base);
    }
  }
}
