/** What every descriptor has; the classes add their own. */

import * as abi from '../layout.gen.ts';
import { deviceName, O_CLOEXEC, openFlagNames } from './flags.ts';
import type { Chunk } from './record.ts';
import { DESCRIPTOR_TYPES, type DescriptorType, type PlaceName } from './types.ts';

export type Access = 'r' | 'w' | 'rw' | '-';

export interface Lock {
  readonly kind: 'posix' | 'flock' | 'lease' | 'ofd';
  readonly type: 'read' | 'write';
  readonly start: number | bigint;
  /** Last byte; absent: to the end of the file, however long it becomes. */
  readonly end?: number | bigint;
}

/** One who holds the other end, or another descriptor of the same thing. */
export interface Endpoint {
  readonly pid: number;
  readonly command: string;
  readonly fd: number;
}

const PLACE_NAMES: readonly PlaceName[] = ['cwd', 'root', 'exe', 'mem'];
const DELETED_SUFFIX = 10; // ' (deleted)', which d_path() adds
const LOCK_KINDS = new Map<number, Lock['kind']>([
  [1, 'posix'],
  [2, 'flock'],
  [32, 'lease'],
  [1024, 'ofd'],
]);

/**
 * Members are decoded when they are read. One that is undefined is not known:
 * the backend cannot tell, or the kind of descriptor has none.
 */
export class DescriptorBase {
  /** @internal */
  declare readonly chunk: Chunk;
  /** @internal where in the chunk the record is */
  declare readonly at: number;
  /** Who holds the other end; only where it was asked for. */
  declare endpoints?: readonly Endpoint[];
  /** Epoll descriptors that watch this one; only where it was asked for. */
  declare watchers?: readonly Endpoint[];

  constructor(chunk: Chunk, at: number) {
    this.chunk = chunk;
    this.at = at;
  }

  /** @internal */
  has(bit: number): boolean {
    return (this.chunk.word(this.at + abi.FDMAP_RECORD_MASK) & bit) !== 0;
  }

  /** @internal a class attribute's offset, 0 when the record has none */
  protected facts(type: number, size: number): number {
    return this.chunk.attribute(this.at, type, size);
  }

  get type(): DescriptorType {
    return DESCRIPTOR_TYPES[this.chunk.word(this.at + abi.FDINFO_RECORD_TYPE)] ?? 'anon';
  }

  get pid(): number {
    return this.chunk.int(this.at + abi.FDINFO_RECORD_PID);
  }

  /** The thread whose table it is in: another number than `pid` for one that has a table of its own. */
  get tid(): number {
    return this.chunk.int(this.at + abi.FDINFO_RECORD_TID);
  }

  get fd(): number | PlaceName {
    const fd = this.chunk.int(this.at + abi.FDINFO_RECORD_FD);
    return fd >= 0 ? fd : (PLACE_NAMES[-fd - 1] ?? 'mem');
  }

  /** Name of the process's first thread, at most 15 bytes. */
  get command(): string | undefined {
    if (!this.has(abi.FDINFO_HAS_COMMAND)) return undefined;
    return this.chunk.command(this.at + abi.FDINFO_RECORD_COMMAND);
  }

  /** Effective user of the process. */
  get processUid(): number | undefined {
    return this.has(abi.FDINFO_HAS_PROCESS_UID)
      ? this.chunk.word(this.at + abi.FDINFO_RECORD_PROCESS_UID)
      : undefined;
  }

  /** How it was opened: to read, to write, both, or neither (O_PATH). */
  get access(): Access | undefined {
    if (!this.has(abi.FDINFO_HAS_ACCESS)) return undefined;
    const bits = this.chunk.word(this.at + abi.FDINFO_RECORD_BITS);
    const read = bits & abi.FDINFO_READ ? 'r' : '';
    const write = bits & abi.FDINFO_WRITE ? 'w' : '';
    return (read + write || '-') as Access;
  }

  /** O_* as they are now. */
  get flags(): readonly string[] | undefined {
    return this.has(abi.FDINFO_HAS_FLAGS)
      ? openFlagNames(this.chunk.word(this.at + abi.FDINFO_RECORD_FLAGS), this.chunk.origin.arch)
      : undefined;
  }

  get cloexec(): boolean | undefined {
    return this.has(abi.FDINFO_HAS_FLAGS)
      ? (this.chunk.word(this.at + abi.FDINFO_RECORD_FLAGS) & O_CLOEXEC) !== 0
      : undefined;
  }

  get pos(): number | bigint | undefined {
    return this.has(abi.FDINFO_HAS_POS) ? this.chunk.signed(this.at + abi.FDINFO_RECORD_POS) : undefined;
  }

  /**
   * Where the file is, seen from the caller's root, by its dentry: without `' (deleted)'`. Bytes that
   * are no UTF-8 are lone surrogates (U+DC80 to U+DCFF). Undefined for what has no path.
   */
  get path(): string | undefined {
    const at = this.chunk.attribute(this.at, abi.FDINFO_A_PATH, abi.SIZEOF_FDMAP_ATTRIBUTE);
    if (at === 0) return undefined;
    const suffix = this.deleted ? DELETED_SUFFIX : 0;
    const length = this.chunk.u16(at) - abi.SIZEOF_FDMAP_ATTRIBUTE - suffix;
    return this.chunk.text(at + abi.SIZEOF_FDMAP_ATTRIBUTE, Math.max(length, 0));
  }

  /** {@link path} as the bytes that it is. */
  get pathBytes(): Uint8Array | undefined {
    const bytes = this.chunk.payload(this.at, abi.FDINFO_A_PATH);
    return bytes && this.deleted ? bytes.subarray(0, Math.max(bytes.length - DELETED_SUFFIX, 0)) : bytes;
  }

  /** The name that it was opened by is gone. */
  get deleted(): boolean | undefined {
    return this.has(abi.FDINFO_HAS_DELETED)
      ? (this.chunk.word(this.at + abi.FDINFO_RECORD_BITS) & abi.FDINFO_DELETED) !== 0
      : undefined;
  }

  /** Device of the file system, `"major:minor"`. */
  get dev(): string | undefined {
    return this.has(abi.FDINFO_HAS_DEV)
      ? deviceName(this.chunk.word(this.at + abi.FDINFO_RECORD_DEV))
      : undefined;
  }

  get inode(): number | bigint | undefined {
    return this.has(abi.FDINFO_HAS_INODE) ? this.chunk.long(this.at + abi.FDINFO_RECORD_INODE) : undefined;
  }

  /** st_mode. */
  get mode(): number | undefined {
    return this.has(abi.FDINFO_HAS_MODE) ? this.chunk.word(this.at + abi.FDINFO_RECORD_MODE) : undefined;
  }

  /** In bytes. */
  get size(): number | bigint | undefined {
    return this.has(abi.FDINFO_HAS_SIZE) ? this.chunk.long(this.at + abi.FDINFO_RECORD_SIZE) : undefined;
  }

  get nlink(): number | undefined {
    return this.has(abi.FDINFO_HAS_NLINK) ? this.chunk.word(this.at + abi.FDINFO_RECORD_NLINK) : undefined;
  }

  /** Owner of the file. */
  get uid(): number | undefined {
    return this.has(abi.FDINFO_HAS_UID) ? this.chunk.word(this.at + abi.FDINFO_RECORD_UID) : undefined;
  }

  get mountId(): number | undefined {
    return this.has(abi.FDINFO_HAS_MOUNT_ID)
      ? this.chunk.int(this.at + abi.FDINFO_RECORD_MOUNT_ID)
      : undefined;
  }

  /** The device that a block or character special file stands for. */
  get rdev(): string | undefined {
    return this.has(abi.FDINFO_HAS_RDEV)
      ? deviceName(this.chunk.word(this.at + abi.FDINFO_RECORD_RDEV))
      : undefined;
  }

  /**
   * Equal for descriptors that share one open file, by dup(2), fork(2) or SCM_RIGHTS, and for no
   * others: a keyed hash, comparable within one handle, or one boot where root keeps a key.
   */
  get fileId(): string | undefined {
    return this.has(abi.FDINFO_HAS_FILE_ID) ? this.chunk.hex(this.at + abi.FDINFO_RECORD_FILE_ID) : undefined;
  }

  /** Locks that were taken through this descriptor's open file. */
  get locks(): Lock[] | undefined {
    const { chunk } = this;
    const locks = chunk.list(this.at, abi.FDINFO_A_LOCKS, abi.SIZEOF_FDINFO_LOCK, (at): Lock => {
      const end = chunk.signed(at + abi.FDINFO_LOCK_END);
      return {
        kind: LOCK_KINDS.get(chunk.word(at + abi.FDINFO_LOCK_KIND)) ?? 'posix',
        type: chunk.word(at + abi.FDINFO_LOCK_TYPE) === 1 ? 'write' : 'read',
        start: chunk.signed(at + abi.FDINFO_LOCK_START),
        ...(end === 0x7fff_ffff_ffff_ffffn ? {} : { end }),
      };
    });
    return locks && locks.length > 0 ? locks : undefined;
  }

  /** Something was longer than there was room: a path of more than 4,095 bytes, or a list. */
  get truncated(): true | undefined {
    return this.chunk.truncated(this.at) ? true : undefined;
  }

  /** Names of the members that only this class has, for toJSON(). */
  protected get ownMembers(): readonly string[] {
    return [];
  }

  /** Every member that is known; numbers beyond 2^53 as decimal strings. */
  toJSON(): Record<string, unknown> {
    const json: Record<string, unknown> = {};
    for (const { name, get } of membersOf(this, this.ownMembers)) {
      const value = get.call(this);
      if (value !== undefined) json[name] = typeof value === 'object' ? plain(value) : text(value);
    }
    if (this.endpoints) json.endpoints = this.endpoints;
    if (this.watchers) json.watchers = this.watchers;
    return json;
  }
}

export const COMMON_MEMBERS = [
  'pid',
  'tid',
  'command',
  'processUid',
  'fd',
  'type',
  'access',
  'flags',
  'cloexec',
  'pos',
  'path',
  'deleted',
  'dev',
  'inode',
  'mode',
  'size',
  'nlink',
  'uid',
  'mountId',
  'rdev',
  'fileId',
  'locks',
  'truncated',
] as const;

interface Member {
  readonly name: string;
  readonly get: (this: DescriptorBase) => unknown;
}

/** Of each class: found by name for each row, the getters cost more than what they do. */
const members = new WeakMap<object, readonly Member[]>();

function membersOf(row: DescriptorBase, own: readonly string[]): readonly Member[] {
  const known = members.get(row.constructor);
  if (known) return known;
  const found = [...COMMON_MEMBERS, ...own].flatMap((name) => {
    for (let owner = Object.getPrototypeOf(row); owner; owner = Object.getPrototypeOf(owner)) {
      const get = Object.getOwnPropertyDescriptor(owner, name)?.get;
      if (get) return [{ name, get }];
    }
    return [];
  });
  members.set(row.constructor, found);
  return found;
}

const text = (value: unknown) => (typeof value === 'bigint' ? value.toString() : value);

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return text(value);
  // Names that many rows share, such as open flags.
  if (Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
