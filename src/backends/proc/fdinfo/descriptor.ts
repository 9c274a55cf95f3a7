/** One descriptor: its link, its file in fdinfo, and stat(2) where that may be asked. */

import type { RecordWriter } from '../../../abi/attributes.ts';
import { O_PATH } from '../../../abi/fdinfo/flags.ts';
import * as abi from '../../../abi/layout.gen.ts';
import { EMFILE, ENAMETOOLONG, ENFILE, ENOMEM } from '../../../sys/errno.ts';
import type { FdinfoQuestion } from '../../fdinfo.ts';
import type { ProcFiles } from '../files.ts';
import { FACTS, locks } from './facts.ts';
import { type FileStatus, Head } from './head.ts';
import { type Kind, kindOf, typeOfMode } from './kind.ts';
import { isDeleted, isMemfd, linkBytes, memfdName, type OwnMounts, statusOfFile } from './link.ts';
import type { Subject } from './process.ts';
import { socketFacts } from './socket-facts.ts';
import type { FoundSocket, SocketFinder } from './sockets.ts';
import { decimal, type FdinfoText, octal, parseFdinfo } from './text.ts';

/** What is about the caller, and leaves the question open. */
export const isOfCaller = (errno: number) => errno === -EMFILE || errno === -ENFILE || errno === -ENOMEM;

/** A number that names another file each time that it is looked at was closed in between as well. */
const ATTEMPTS = 4;
const ACCESS_BITS = [abi.FDINFO_READ, abi.FDINFO_WRITE, abi.FDINFO_READ | abi.FDINFO_WRITE];

/** What has an inode of its own; of `unknown` it is not known what. */
const LOCKABLE: ReadonlySet<number> = new Set([
  ...[abi.FDINFO_FILE, abi.FDINFO_DIR, abi.FDINFO_BLOCK, abi.FDINFO_CHAR, abi.FDINFO_FIFO],
  ...[abi.FDINFO_MEMFD, abi.FDINFO_UNKNOWN],
]);

/** All that was read of one descriptor. */
interface Found {
  readonly path: string;
  /** Undefined: longer than readlink(2) can tell. */
  readonly link: Buffer | undefined;
  readonly info: FdinfoText;
  readonly kind: Kind;
  /** The kernel's own mount, which no mountinfo has. */
  readonly internal: boolean;
  readonly memfd: boolean;
  readonly mountId: number | undefined;
  readonly status: FileStatus | undefined;
}

/** The number still names what it named before stat(2): a second readlink(2). */
function isStill({ path, link }: Found): boolean {
  if (!link) return true;
  const now = linkBytes(path);
  return typeof now !== 'number' && link.equals(now);
}

export class DescriptorReader {
  readonly #files: ProcFiles;
  readonly #sockets: SocketFinder | undefined;
  readonly #question: FdinfoQuestion;
  readonly #mounts: OwnMounts;

  /** @param sockets without one every socket is just one: which protocol it has is not found out */
  constructor(
    files: ProcFiles,
    sockets: SocketFinder | undefined,
    question: FdinfoQuestion,
    mounts: OwnMounts,
  ) {
    this.#files = files;
    this.#sockets = sockets;
    this.#question = question;
    this.#mounts = mounts;
  }

  /** Writes its record, if it is still there. A negative errno only for what is about the caller. */
  add(subject: Subject, fd: number, writer: RecordWriter): number {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = this.#read(subject, fd);
      if (typeof found === 'number') return isOfCaller(found) ? found : 0;
      // Link, fdinfo and stat are looked at one after the other: they must be of one file.
      if (!isOfOneFile(found) || (found.status && !isStill(found))) continue;
      this.#write(subject, fd, found, writer);
      return 0;
    }
    return 0;
  }

  #read(subject: Subject, fd: number): Found | number {
    const path = `${subject.directory}/fd/${fd}`;
    const link = linkBytes(path);
    if (typeof link === 'number' && link !== -ENAMETOOLONG) return link;
    const text = this.#files.whole(`${subject.directory}/fdinfo/${fd}`);
    if (typeof text === 'number') return text;
    const info = parseFdinfo(text);
    const named = typeof link === 'number' ? undefined : link;
    const kind: Kind = named ? kindOf(named.toString('latin1')) : { type: -1 };
    const mountId = decimal(info.values.get('mnt_id'));
    const local = mountId === undefined ? undefined : subject.mounts?.get(mountId);
    const internal = mountId !== undefined && subject.mounts !== undefined && local === undefined;
    const memfd = kind.type === -1 && internal && named !== undefined && isMemfd(named);
    const mayStat = kind.type !== -1 || local === true || this.#question.stat;
    const status = mayStat && !memfd ? statusOfFile(path) : undefined;
    return { path, link: named, info, kind, internal, memfd, mountId, status };
  }

  #typeOf({ kind, memfd, status }: Found, socket: FoundSocket | undefined): number {
    if (memfd) return abi.FDINFO_MEMFD;
    if (socket) return socket.type;
    if (kind.type !== -1) return kind.type;
    return status ? typeOfMode(Number(status.mode)) : abi.FDINFO_UNKNOWN;
  }

  #write(subject: Subject, fd: number, found: Found, writer: RecordWriter): void {
    const { link, info, kind, memfd, mountId, status } = found;
    const head = new Head(writer, subject, fd);
    const flags = octal(info.values.get('flags')) ?? 0;
    const access = flags & O_PATH ? 0 : (ACCESS_BITS[flags & 3] ?? 0);
    head.set(abi.FDINFO_HAS_FLAGS, abi.FDINFO_RECORD_FLAGS, flags);
    const pos = info.values.get('pos');
    if (pos !== undefined) head.setLong(abi.FDINFO_HAS_POS, abi.FDINFO_RECORD_POS, BigInt(pos));
    if (mountId !== undefined) head.set(abi.FDINFO_HAS_MOUNT_ID, abi.FDINFO_RECORD_MOUNT_ID, mountId);
    const isSocket = kind.type === abi.FDINFO_SOCKET && kind.inode !== undefined;
    const socket = isSocket ? this.#sockets?.find(subject, kind.inode, found.path) : undefined;
    const type = this.#typeOf(found, socket);
    head.set(0, abi.FDINFO_RECORD_TYPE, type);
    const inode = kind.inode ?? decimal(info.values.get('ino'));
    if (inode !== undefined) head.setInode(BigInt(inode));
    if (status) head.setStatus(status, type);
    const isPath = kind.type === -1 && !memfd;
    const mayLook = () => this.#question.stat || (mountId !== undefined && this.#mayFollow(link, mountId));
    const deleted = isPath && link ? isDeleted(link, status, mayLook) : undefined;
    if (deleted !== undefined) head.set(abi.FDINFO_HAS_DELETED, abi.FDINFO_RECORD_BITS, 0);
    head.set(abi.FDINFO_HAS_ACCESS, abi.FDINFO_RECORD_BITS, access | (deleted ? abi.FDINFO_DELETED : 0));
    if (isPath && !link) head.setTruncated();
    if (memfd && link) writer.payload(abi.FDINFO_A_NAME, memfdName(link));
    else if (kind.name !== undefined) writer.payload(abi.FDINFO_A_NAME, Buffer.from(kind.name, 'latin1'));
    else if (isPath && link) writer.payload(abi.FDINFO_A_PATH, link);
    if (socket?.facts) socketFacts(writer, socket.facts, socket.netns ?? 0);
    if (this.#question.details && (flags & O_PATH) === 0) {
      const owner = { pid: subject.pid, tid: subject.tid, fd };
      FACTS.get(type)?.(writer, info, owner);
      if (LOCKABLE.has(type)) locks(writer, info, owner);
    }
    writer.end();
  }

  #mayFollow(link: Buffer | undefined, mountId: number): boolean {
    return link !== undefined && this.#mounts.leadsSafely(link, mountId);
  }
}

/** By the inode where two of the three have it, else by a second look at the link. */
function isOfOneFile({ path, link, info, kind, status }: Found): boolean {
  const inode = info.values.get('ino');
  const others = [kind.inode === undefined ? undefined : BigInt(kind.inode), status?.ino].filter(
    (each) => each !== undefined,
  );
  const shared = kind.type !== -1 && kind.inode === undefined;
  if (!shared && inode !== undefined && others.length > 0 && others.every((each) => `${each}` === inode))
    return true;
  const again = linkBytes(path);
  if (link === undefined) return again === -ENAMETOOLONG;
  return typeof again !== 'number' && again.equals(link);
}
