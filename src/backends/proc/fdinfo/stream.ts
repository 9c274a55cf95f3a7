/** fdinfo out of /proc: a chunk of records for each process, the same records as the kernel's. */

import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { RecordWriter } from '../../../abi/attributes.ts';
import { kernelDevice, O_PATH } from '../../../abi/fdinfo/flags.ts';
import { Chunk } from '../../../abi/fdinfo/record.ts';
import { PLACES, type PlaceName } from '../../../abi/fdinfo/types.ts';
import * as abi from '../../../abi/layout.gen.ts';
import { EACCES, ENAMETOOLONG, ENOENT, EPERM, ESRCH, errnoOf } from '../../../sys/errno.ts';
import type { DescriptorStream, FdinfoQuestion } from '../../fdinfo.ts';
import { errnoOfProcess, linkText, type ProcFiles } from '../files.ts';
import { FACTS, locks, socketFacts } from './facts.ts';
import { type Kind, kindOf, typeOfMode } from './kind.ts';
import { localMounts } from './mounts.ts';
import { type NetSocket, socketsOf } from './net.ts';
import { decimal, type FdinfoText, hexLong, octal, parseFdinfo } from './text.ts';

const DELETED = Buffer.from(' (deleted)');
const MEMFD = Buffer.from('/memfd:');
const WITH_SIZE = new Set([
  abi.FDINFO_FILE,
  abi.FDINFO_DIR,
  abi.FDINFO_SYMLINK,
  abi.FDINFO_MEMFD,
  abi.FDINFO_MQUEUE,
]);

/** One process while its descriptors are read. */
interface Process {
  readonly pid: number;
  readonly command: Buffer;
  readonly uid: number | undefined;
  readonly netns: number;
  /** Ids of its mounts, and whether stat(2) may be asked of their files. */
  readonly mounts: ReadonlyMap<number, boolean> | undefined;
}

function linkBytes(path: string): Buffer | number {
  try {
    return readlinkSync(path, 'buffer');
  } catch (error) {
    return errnoOf(error);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // Closed meanwhile, or a file that refuses: what stat would have told is not known.
    return undefined;
  }
}

export class ProcStream implements DescriptorStream {
  readonly #files: ProcFiles;
  readonly #pids: readonly number[];
  readonly #question: FdinfoQuestion;
  readonly #sockets = new Map<number, ReadonlyMap<number, NetSocket>>();
  #next = 0;

  constructor(files: ProcFiles, pids: readonly number[], question: FdinfoQuestion) {
    this.#files = files;
    this.#pids = pids;
    this.#question = question;
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

  /** A negative errno only for what is about the caller, such as EMFILE. */
  #process(pid: number, writer: RecordWriter): number {
    const numbers = pid < 0 ? -ESRCH : this.#files.numbers(`/proc/${pid}/fd`);
    if (typeof numbers === 'number') return this.#refused(numbers, pid, writer);
    // Files are readable by the access check alone, the directory by its mode: both must agree.
    if (linkText(`/proc/${pid}/cwd`) === -EACCES) return this.#refused(-EACCES, pid, writer);
    const subject = this.#subject(pid);
    // node:fs has names in the order of text.
    for (const fd of numbers.sort((x, y) => x - y)) {
      if (this.#question.fd !== undefined && this.#question.fd !== fd) continue;
      this.#descriptor(subject, fd, writer);
    }
    if (this.#question.places)
      for (const name of ['cwd', 'root', 'exe'] as const) this.#place(subject, name, writer);
    if (this.#question.mappings) this.#mappings(subject, writer);
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

  #subject(pid: number): Process {
    const command = this.#files.text(`/proc/${pid}/comm`);
    const status = this.#files.text(`/proc/${pid}/status`);
    const uid = typeof status === 'string' ? /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1] : undefined;
    const netns = linkText(`/proc/${pid}/ns/net`);
    return {
      pid,
      command: Buffer.from(typeof command === 'string' ? command.replace(/\n$/, '') : '', 'latin1'),
      uid: uid === undefined ? undefined : Number(uid),
      netns: typeof netns === 'string' ? Number(/\[(\d+)\]/.exec(netns)?.[1] ?? 0) : 0,
      mounts: localMounts(this.#files, pid),
    };
  }

  #begin(
    subject: Process,
    fd: number,
    writer: RecordWriter,
  ): (mask: number, offset: number, value: number) => void {
    writer.begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDINFO_RECORD);
    const set = (mask: number, offset: number, value: number) => {
      writer.setU32(writer.fixed(offset), value);
      if (mask) writer.valid(31 - Math.clz32(mask));
    };
    set(0, abi.FDINFO_RECORD_PID, subject.pid);
    set(0, abi.FDINFO_RECORD_TID, subject.pid);
    set(0, abi.FDINFO_RECORD_FD, fd);
    writer.setBytes(writer.fixed(abi.FDINFO_RECORD_COMMAND), subject.command.subarray(0, 15));
    writer.valid(31 - Math.clz32(abi.FDINFO_HAS_COMMAND));
    if (subject.uid !== undefined)
      set(abi.FDINFO_HAS_PROCESS_UID, abi.FDINFO_RECORD_PROCESS_UID, subject.uid);
    return set;
  }

  #descriptor(subject: Process, fd: number, writer: RecordWriter): void {
    const path = `/proc/${subject.pid}/fd/${fd}`;
    const link = linkBytes(path);
    if (link === -ENOENT) return;
    const text = this.#files.whole(`/proc/${subject.pid}/fdinfo/${fd}`);
    if (typeof text === 'number') return;
    const info = parseFdinfo(text);
    const set = this.#begin(subject, fd, writer);
    const flags = octal(info.values.get('flags')) ?? 0;
    set(abi.FDINFO_HAS_FLAGS, abi.FDINFO_RECORD_FLAGS, flags);
    const access = flags & O_PATH ? 0 : (ACCESS_BITS[flags & 3] ?? 0);
    writer.valid(31 - Math.clz32(abi.FDINFO_HAS_ACCESS));
    const pos = decimal(info.values.get('pos'));
    if (pos !== undefined) {
      writer.setU64(writer.fixed(abi.FDINFO_RECORD_POS), BigInt(info.values.get('pos') as string) & U64);
      writer.valid(31 - Math.clz32(abi.FDINFO_HAS_POS));
    }
    this.#file(subject, path, typeof link === 'number' ? undefined : link, info, access, set, writer);
    writer.end();
  }

  /** What link, fdinfo and, where it may be asked, stat(2) say about the file behind `path`. */
  #file(
    subject: Process,
    path: string,
    link: Buffer | undefined,
    info: FdinfoText | undefined,
    access: number,
    set: (mask: number, offset: number, value: number) => void,
    writer: RecordWriter,
  ): void {
    const kind: Kind = link ? kindOf(link.toString('latin1')) : { type: -1 };
    const mountId = decimal(info?.values.get('mnt_id'));
    if (mountId !== undefined) set(abi.FDINFO_HAS_MOUNT_ID, abi.FDINFO_RECORD_MOUNT_ID, mountId);
    const local = mountId === undefined ? undefined : subject.mounts?.get(mountId);
    const internal = mountId !== undefined && subject.mounts !== undefined && local === undefined;
    const memfd = kind.type === -1 && internal && isMemfd(link);
    const mayStat = kind.type !== -1 || local === true || this.#question.stat;
    const stat = mayStat && !memfd ? statOf(path) : undefined;
    let type = kind.type === -1 ? (stat ? typeOfMode(stat.mode) : abi.FDINFO_UNKNOWN) : kind.type;
    if (memfd) type = abi.FDINFO_MEMFD;
    const socket = type === abi.FDINFO_SOCKET && kind.inode ? this.#socket(subject, kind.inode) : undefined;
    if (socket) type = SOCKET_TYPES.get(socket.type) ?? abi.FDINFO_SOCKET;
    set(0, abi.FDINFO_RECORD_TYPE, type);
    const inode = kind.inode ?? stat?.ino ?? decimal(info?.values.get('ino'));
    if (inode !== undefined) {
      writer.setNumber(writer.fixed(abi.FDINFO_RECORD_INODE), inode);
      writer.valid(31 - Math.clz32(abi.FDINFO_HAS_INODE));
    }
    if (stat) this.#stat(stat, type, set, writer);
    const deleted = kind.type === -1 && !memfd ? isDeleted(link, stat) : undefined;
    const bits = access | (deleted ? abi.FDINFO_DELETED : 0);
    set(deleted === undefined ? 0 : abi.FDINFO_HAS_DELETED, abi.FDINFO_RECORD_BITS, bits);
    if (this.#question.details) {
      const flags = octal(info?.values.get('flags')) ?? 0;
      if (info && (flags & O_PATH) === 0) FACTS.get(type)?.(writer, info);
      if (info && type === abi.FDINFO_FILE) locks(writer, info);
    }
    if (socket) socketFacts(writer, socket, subject.netns);
    if (memfd && link)
      writer.payload(abi.FDINFO_A_NAME, link.subarray(MEMFD.length, link.length - DELETED.length));
    else if (kind.name !== undefined) writer.payload(abi.FDINFO_A_NAME, Buffer.from(kind.name, 'latin1'));
    if (kind.type === -1 && !memfd) {
      if (link) writer.payload(abi.FDINFO_A_PATH, link);
      else writer.setBytes(writer.fixed(abi.FDMAP_RECORD_FLAGS), Uint8Array.of(abi.FDMAP_TRUNCATED));
    }
  }

  #stat(
    stat: Stats,
    type: number,
    set: (mask: number, offset: number, value: number) => void,
    writer: RecordWriter,
  ): void {
    set(abi.FDINFO_HAS_MODE, abi.FDINFO_RECORD_MODE, stat.mode);
    set(abi.FDINFO_HAS_DEV, abi.FDINFO_RECORD_DEV, kernelDevice(stat.dev));
    set(abi.FDINFO_HAS_NLINK, abi.FDINFO_RECORD_NLINK, stat.nlink);
    set(abi.FDINFO_HAS_UID, abi.FDINFO_RECORD_UID, stat.uid);
    if (type === abi.FDINFO_BLOCK || type === abi.FDINFO_CHAR)
      set(abi.FDINFO_HAS_RDEV, abi.FDINFO_RECORD_RDEV, kernelDevice(stat.rdev));
    if (WITH_SIZE.has(type)) {
      writer.setNumber(writer.fixed(abi.FDINFO_RECORD_SIZE), stat.size);
      writer.valid(31 - Math.clz32(abi.FDINFO_HAS_SIZE));
    }
  }

  #socket(subject: Process, inode: number): NetSocket | undefined {
    let sockets = this.#sockets.get(subject.netns);
    if (!sockets) {
      sockets = socketsOf(this.#files, subject.pid);
      this.#sockets.set(subject.netns, sockets);
    }
    return sockets.get(inode);
  }

  /**
   * Places have no fdinfo and so no mount id: what kind of file it is follows from the
   * place, and stat(2) is asked only where the caller wants that at any price.
   */
  #place(subject: Process, name: PlaceName, writer: RecordWriter): void {
    const path = `/proc/${subject.pid}/${name}`;
    const link = linkBytes(path);
    if (typeof link === 'number' && link !== -ENAMETOOLONG) return;
    const set = this.#begin(subject, PLACES[name], writer);
    const type = name === 'exe' ? abi.FDINFO_FILE : abi.FDINFO_DIR;
    set(0, abi.FDINFO_RECORD_TYPE, type);
    const stat = this.#question.stat ? statOf(path) : undefined;
    if (stat) {
      this.#stat(stat, type, set, writer);
      writer.setNumber(writer.fixed(abi.FDINFO_RECORD_INODE), stat.ino);
      writer.valid(31 - Math.clz32(abi.FDINFO_HAS_INODE));
    }
    const deleted = typeof link === 'number' ? undefined : isDeleted(link, stat);
    if (deleted !== undefined)
      set(abi.FDINFO_HAS_DELETED, abi.FDINFO_RECORD_BITS, deleted ? abi.FDINFO_DELETED : 0);
    if (typeof link !== 'number') writer.payload(abi.FDINFO_A_PATH, link);
    else writer.setBytes(writer.fixed(abi.FDMAP_RECORD_FLAGS), Uint8Array.of(abi.FDMAP_TRUNCATED));
    writer.end();
  }

  /** proc_pid_maps(5): device, inode and path, but not what kind of file it is. */
  #mappings(subject: Process, writer: RecordWriter): void {
    const text = this.#files.whole(`/proc/${subject.pid}/maps`);
    if (typeof text === 'number') return;
    for (const line of text.split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) (....) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+) +(\/.*)$/.exec(
        line,
      );
      if (!match) continue;
      const [, start = '0', end = '0', bits = '', offset = '0', major = '0', minor = '0', inode, path = ''] =
        match;
      const set = this.#begin(subject, PLACES.mem, writer);
      set(0, abi.FDINFO_RECORD_TYPE, abi.FDINFO_UNKNOWN);
      const device = ((Number.parseInt(major, 16) << 20) | Number.parseInt(minor, 16)) >>> 0;
      set(abi.FDINFO_HAS_DEV, abi.FDINFO_RECORD_DEV, device);
      writer.setNumber(writer.fixed(abi.FDINFO_RECORD_INODE), Number(inode));
      writer.valid(31 - Math.clz32(abi.FDINFO_HAS_INODE));
      const at = writer.attribute(abi.FDINFO_A_MAPPING, abi.SIZEOF_FDINFO_MAPPING);
      const protection = [...bits].reduce((sum, letter) => sum | (PROTECTION[letter] ?? 0), 0);
      writer.setU32(at + abi.FDINFO_MAPPING_PROTECTION, protection);
      writer.setU64(at + abi.FDINFO_MAPPING_START, hexLong(start));
      writer.setU64(at + abi.FDINFO_MAPPING_END, hexLong(end));
      writer.setU64(at + abi.FDINFO_MAPPING_OFFSET, hexLong(offset));
      // A newline is the one byte that is escaped: seq_file_path() in show_map_vma()
      const bytes = Buffer.from(path.replaceAll('\\012', '\n'), 'latin1');
      const deleted = isDeleted(bytes, undefined);
      if (deleted !== undefined) set(abi.FDINFO_HAS_DELETED, abi.FDINFO_RECORD_BITS, 0);
      writer.payload(abi.FDINFO_A_PATH, bytes);
      writer.end();
    }
  }
}

const PROTECTION: Readonly<Record<string, number>> = { r: 1, w: 2, x: 4, s: 8 };
const U64 = 0xffff_ffff_ffff_ffffn;
const ACCESS_BITS = [abi.FDINFO_READ, abi.FDINFO_WRITE, abi.FDINFO_READ | abi.FDINFO_WRITE];
const SOCKET_TYPES: ReadonlyMap<NetSocket['type'], number> = new Map([
  ['tcp', abi.FDINFO_TCP],
  ['udp', abi.FDINFO_UDP],
  ['udplite', abi.FDINFO_UDPLITE],
  ['raw', abi.FDINFO_RAW],
  ['ping', abi.FDINFO_PING],
  ['unix', abi.FDINFO_UNIX],
  ['netlink', abi.FDINFO_NETLINK],
  ['packet', abi.FDINFO_PACKET],
]);

const endsDeleted = (link: Buffer) => link.subarray(-DELETED.length).equals(DELETED);

/** The kernel's own mount of tmpfs is in no mountinfo. */
const isMemfd = (link: Buffer | undefined) =>
  link?.subarray(0, MEMFD.length).equals(MEMFD) === true && endsDeleted(link);

/** A file can be named so as well: where its own directory entry is there, it is. Undefined: not known. */
function isDeleted(link: Buffer | undefined, stat: Stats | undefined): boolean | undefined {
  if (!link) return undefined;
  if (!endsDeleted(link)) return false;
  if (!stat) return undefined;
  if (stat.nlink === 0) return true;
  try {
    const named = lstatSync(link);
    return named.ino !== stat.ino || named.dev !== stat.dev;
  } catch {
    return true;
  }
}
