/** The beginning of a record, and how its members are set. */

import type { RecordWriter } from '../../../abi/attributes.ts';
import { kernelDevice } from '../../../abi/fdinfo/flags.ts';
import * as abi from '../../../abi/layout.gen.ts';
import type { Subject } from './process.ts';

const WITH_SIZE = new Set([
  abi.FDINFO_FILE,
  abi.FDINFO_DIR,
  abi.FDINFO_SYMLINK,
  abi.FDINFO_MEMFD,
  abi.FDINFO_MQUEUE,
]);

/** What stat(2) says, as far as it is used: node:fs.BigIntStats, inodes of 64 bits included. */
export interface FileStatus {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
}

const valid = (writer: RecordWriter, mask: number) => writer.valid(31 - Math.clz32(mask));

export class Head {
  readonly #writer: RecordWriter;

  /** Begins a record. */
  constructor(writer: RecordWriter, subject: Subject, fd: number) {
    this.#writer = writer;
    writer.begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDINFO_RECORD);
    this.set(0, abi.FDINFO_RECORD_PID, subject.pid);
    this.set(0, abi.FDINFO_RECORD_TID, subject.tid);
    this.set(0, abi.FDINFO_RECORD_FD, fd);
    writer.setBytes(writer.fixed(abi.FDINFO_RECORD_COMMAND), subject.command.subarray(0, 15));
    valid(writer, abi.FDINFO_HAS_COMMAND);
    if (subject.uid !== undefined)
      this.set(abi.FDINFO_HAS_PROCESS_UID, abi.FDINFO_RECORD_PROCESS_UID, subject.uid);
  }

  /** @param mask FDINFO_HAS_*, or 0 for what every record has */
  set(mask: number, offset: number, value: number): void {
    this.#writer.setU32(this.#writer.fixed(offset), value);
    if (mask !== 0) valid(this.#writer, mask);
  }

  setLong(mask: number, offset: number, value: bigint): void {
    this.#writer.setU64(this.#writer.fixed(offset), BigInt.asUintN(64, value));
    valid(this.#writer, mask);
  }

  /** The caller knows that there is more than was told. */
  setTruncated(): void {
    this.#writer.setBytes(
      this.#writer.fixed(abi.FDMAP_RECORD_FLAGS),
      Uint8Array.of(abi.FDMAP_TRUNCATED & 0xff, abi.FDMAP_TRUNCATED >>> 8),
    );
  }

  setInode(inode: bigint): void {
    this.setLong(abi.FDINFO_HAS_INODE, abi.FDINFO_RECORD_INODE, inode);
  }

  setStatus(status: FileStatus, type: number): void {
    this.setInode(status.ino);
    this.set(abi.FDINFO_HAS_MODE, abi.FDINFO_RECORD_MODE, Number(status.mode));
    this.set(abi.FDINFO_HAS_DEV, abi.FDINFO_RECORD_DEV, kernelDevice(status.dev));
    this.set(abi.FDINFO_HAS_NLINK, abi.FDINFO_RECORD_NLINK, Number(status.nlink));
    this.set(abi.FDINFO_HAS_UID, abi.FDINFO_RECORD_UID, Number(status.uid));
    if (type === abi.FDINFO_BLOCK || type === abi.FDINFO_CHAR)
      this.set(abi.FDINFO_HAS_RDEV, abi.FDINFO_RECORD_RDEV, kernelDevice(status.rdev));
    if (WITH_SIZE.has(type)) this.setLong(abi.FDINFO_HAS_SIZE, abi.FDINFO_RECORD_SIZE, status.size);
  }
}
