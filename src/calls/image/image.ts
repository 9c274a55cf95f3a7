import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import { Chunk } from '../../abi/fdinfo/record.ts';
import { decodeAbout, decodeUsers, type ImageAbout } from '../../abi/image/about.ts';
import { type ByteSource, MemorySource, type Section, sectionsOf } from '../../abi/image/sections.ts';
import * as abi from '../../abi/layout.gen.ts';
import { RecordedBackend } from '../../backends/recorded/backend.ts';
import { RecordIndex } from '../../backends/recorded/records.ts';
import { DecodeError, SystemError } from '../../errors.ts';
import { errnoOf } from '../../sys/errno.ts';
import * as descriptors from '../fdinfo/fdinfo.ts';
import type { DescriptorList } from '../fdinfo/list.ts';
import type { FdinfoOptions } from '../fdinfo/options.ts';
import type { FdmapOptions } from '../fdmap.ts';
import * as numbers from '../fdmap.ts';
import type { PidinfoOptions } from '../pidinfo.ts';
import * as status from '../pidinfo.ts';
import type { PidmapOptions } from '../pidmap.ts';
import * as pids from '../pidmap.ts';
import type { ProcessList } from '../process-list.ts';

/** An image in memory, to be asked as the machine was that it is of. */
export class Image {
  readonly about: ImageAbout;
  /** Names of the users who own its processes, as the machine's /etc/passwd had them. */
  readonly users: ReadonlyMap<number, string>;
  /** Why it is not complete: what came before is here. */
  readonly damage: DecodeError | undefined;
  readonly #backend: RecordedBackend;

  /** @internal */
  constructor(
    about: ImageAbout,
    index: RecordIndex,
    users: ReadonlyMap<number, string>,
    damage: DecodeError | undefined,
  ) {
    this.about = about;
    this.users = users;
    this.damage = damage;
    this.#backend = new RecordedBackend(about, index);
  }

  /** As the call of the same name; 0 is nobody here. */
  fdmap(pid: number, options: FdmapOptions = {}): Int32Array {
    return numbers.fdmap(this.#backend, pid, options);
  }

  /** As the call of the same name. `tasks` and `threads` are EOPNOTSUPP: an image has processes. */
  pidmap(options: PidmapOptions = {}): Int32Array {
    return pids.pidmap(this.#backend, options);
  }

  /** As the call of the same name; `args` and `exe` are absent. */
  pidinfo(target?: number | readonly number[], options: PidinfoOptions = {}): ProcessList {
    return status.pidinfo(this.#backend, target, options);
  }

  /** As the call of the same name. `path` is looked for by name alone, `mount` is EINVAL. */
  fdinfo(target?: number | readonly number[], options: FdinfoOptions = {}): DescriptorList {
    return descriptors.fdinfo(this.#backend, target, options);
  }

  [Symbol.iterator](): IterableIterator<Descriptor> {
    return this.fdinfo(undefined, { places: true, mappings: true })[Symbol.iterator]();
  }
}

export interface ReadImageOptions {
  /**
   * Of an image that is cut off or damaged, what came before: `damage` says where it ended. Default
   * false: that is an error.
   */
  readonly partial?: boolean | undefined;
}

/** See the call of the same name in index.ts. */
export function readImage(source: string | number | Uint8Array, options: ReadImageOptions = {}): Image {
  if (source instanceof Uint8Array) return imageOf(new MemorySource(source), options);
  if (typeof source === 'number') return imageOf(new FileSource(source), options);
  let fd: number;
  try {
    fd = openSync(source, 'r');
  } catch (error) {
    throw new SystemError(errnoOf(error), 'open', { path: source });
  }
  try {
    return imageOf(new FileSource(fd, source), options);
  } finally {
    closeSync(fd);
  }
}

/** See the call of the same name in index.ts. */
export async function readImageFrom(
  stream: AsyncIterable<Uint8Array>,
  options: ReadImageOptions = {},
): Promise<Image> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return imageOf(new MemorySource(Buffer.concat(pieces)), options);
}

class FileSource implements ByteSource {
  readonly #fd: number;
  readonly #path: string | undefined;
  readonly #size: number;
  #at = 0;

  constructor(fd: number, path?: string) {
    const stat = fstatSync(fd);
    this.#fd = fd;
    this.#path = path;
    // A pipe has no size; what a head claims there is believed as far as memory goes.
    this.#size = stat.isFile() ? stat.size : PIPE_ROOM;
  }

  get left(): number {
    return this.#size - this.#at;
  }

  read(into: Uint8Array): number {
    let got = 0;
    while (got < into.length) {
      let length: number;
      try {
        length = readSync(this.#fd, into, got, into.length - got, null);
      } catch (error) {
        throw new SystemError(errnoOf(error), 'read', { path: this.#path });
      }
      if (length === 0) break;
      got += length;
    }
    this.#at += got;
    return got;
  }
}

const PIPE_ROOM = 2 ** 31;

/** Offsets of errors in a payload, made those of the file. */
function within<T>(base: number, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof DecodeError ? error.moved(base) : error;
  }
}

/** @throws DecodeError; the records before it are in */
function addSection(
  { type, base, payload }: Section,
  arch: string,
  index: RecordIndex,
  users: Map<number, string>,
): void {
  if (type === abi.FDMAP_SECTION_PROCESSES) index.addProcesses(payload, base);
  else if (type === abi.FDMAP_SECTION_USERS) within(base, () => decodeUsers(payload, users));
  else if (type === abi.FDMAP_SECTION_DESCRIPTORS) {
    // Offsets of rows are those of the file, here and when one is decoded later.
    const origin = { base, arch };
    index.addDescriptors(
      new Chunk(payload.buffer, payload.length, origin),
      (length) => new Chunk(payload.buffer, length, origin),
    );
  }
}

/** @throws DecodeError */
function imageOf(source: ByteSource, { partial = false }: ReadImageOptions): Image {
  let about: ImageAbout | undefined;
  let damage: DecodeError | undefined;
  const index = new RecordIndex();
  const users = new Map<number, string>();
  try {
    for (const section of sectionsOf(source)) {
      const { type, base, payload, cut } = section;
      if (!about && type !== abi.FDMAP_SECTION_ABOUT)
        throw new DecodeError('an image that does not say where it is from', 0);
      try {
        about ??= within(base, () => decodeAbout(payload));
        addSection(section, about.arch, index, users);
      } catch (error) {
        // It ends within a record: that it is cut off says more, and is thrown next.
        if (!(error instanceof DecodeError) || !cut) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    damage = error;
    if (!about || !partial) throw damage;
  }
  return new Image(about!, index, users, damage);
}
