import { closeSync, openSync, readFileSync, writevSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { Writable } from 'node:stream';
import { RecordReader, RecordWriter } from '../../abi/attributes.ts';
import { Chunk } from '../../abi/fdinfo/record.ts';
import { aboutRecord, type ImageAbout, summaryRecord, userRecords } from '../../abi/image/about.ts';
import { imageHead, sectionHead } from '../../abi/image/sections.ts';
import * as abi from '../../abi/layout.gen.ts';
import { DEFAULT_FIELDS } from '../../abi/pidinfo/fields.ts';
import type { Backend, Records } from '../../backends/backend.ts';
import { RecordIndex } from '../../backends/recorded/records.ts';
import { SystemError } from '../../errors.ts';
import { EACCES, errnoName, errnoOf } from '../../sys/errno.ts';
import { chunksOf } from '../fdinfo/fdinfo.ts';
import type { FailedProcess } from '../fdinfo/list.ts';
import { checkPids } from '../fdinfo/options.ts';
import { pidinfo, timeOfBoot } from '../pidinfo.ts';
import { userNames } from '../users.ts';
import { Image } from './image.ts';

export interface DumpOptions {
  /** The processes that are named and everything below them. Default false. */
  readonly tree?: boolean | undefined;
  /** Also where each process is, its root and its program. Default true. */
  readonly places?: boolean | undefined;
  /** Also files that are mapped. Default false. */
  readonly mappings?: boolean | undefined;
}

/** What dumpTo() has written. */
export interface DumpSummary {
  readonly bytes: number;
  /** Processes that were named and could not be read: the image says so too. */
  readonly errors: readonly FailedProcess[];
}

/** A payload, and what it is. */
type Piece = readonly [type: number, payload: Uint8Array];

/** What was found out before the first byte: an error of the whole comes from here. */
interface Subject {
  readonly about: ImageAbout;
  readonly pids: readonly number[] | undefined;
  readonly failed: readonly { pid: number; errno: number }[];
  readonly records: Records;
}

const FIELDS = new Set(DEFAULT_FIELDS);

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch (error) {
    // Without /proc there is none to tell.
    errnoOf(error);
    return undefined;
  }
}

/** @throws SystemError, ArgumentError */
function subjectOf(
  backend: Backend,
  target: number | readonly number[] | undefined,
  { tree = false, places = true, mappings = false }: DumpOptions,
): Subject {
  const named = checkPids(target);
  let pids: number[] | undefined;
  const failed: { pid: number; errno: number }[] = [];
  if (named) {
    pids = [];
    const all = tree ? below(backend, named) : named;
    for (const pid of new Set(all)) {
      const errno = backend.fdmap(pid, 0, new Int32Array(1), 0);
      if (errno >= 0) pids.push(pid);
      else if (typeof target === 'number' && pid === named[0])
        throw new SystemError(errno, 'dump', { pid: target });
      else failed.push({ pid, errno });
    }
  }
  const records = backend.pidinfo({ pids, fields: FIELDS, threads: false });
  if (typeof records === 'number') throw new SystemError(records, 'pidinfo');
  const about = {
    time: new Date().toISOString(),
    bootTime: timeOfBoot(),
    bootId: bootId(),
    host: hostname(),
    release: release(),
    arch: process.arch,
    backend: backend.name,
    abi: abi.FDMAP_ABI,
    pids: named,
    places,
    mappings,
    keyId: backend.fileKeyId?.(),
  };
  return { about, pids, failed, records };
}

/** The processes that are named, and their descendants. */
function below(backend: Backend, roots: readonly number[]): number[] {
  const snapshot = pidinfo(backend, undefined, { fields: ['ppid', 'startTime'] }).snapshot();
  return roots.flatMap((root) => {
    const process = snapshot.byPid.get(root);
    return [root, ...(process ? [...snapshot.descendants(process)].map(({ pid }) => pid) : [])];
  });
}

/** Chunks as they come from the backend: not one row is decoded. */
function* chunks(backend: Backend, { pids, failed, about }: Subject): Generator<Chunk, undefined> {
  const { places, mappings } = about;
  for (const { pid, errno } of failed) yield failure(pid, errno);
  for (const pid of pids ?? [undefined]) {
    const question = { pid, details: true, paths: true, places, mappings, stat: false };
    for (const chunk of chunksOf(backend, question)) {
      // Of one who was permitted a moment ago: it has changed its credentials.
      const hidden = pid !== undefined && chunk.kind(0) === abi.FDINFO_KIND_HIDDEN;
      yield hidden ? failure(pid, -EACCES) : chunk;
    }
  }
}

function failure(pid: number, errno: number): Chunk {
  const writer = new RecordWriter(256).begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDINFO_RECORD);
  writer.setU32(writer.fixed(abi.FDINFO_RECORD_PID), pid).setU32(writer.fixed(abi.FDINFO_RECORD_TID), pid);
  writer.end(errno);
  return Chunk.copyOf(writer.finish());
}

/** Names of the users who own these processes. */
function owners(records: Records): Map<number, string> {
  const all = userNames();
  const found = new Map<number, string>();
  for (const piece of records) {
    const reader = new RecordReader(piece);
    while (reader.next()) {
      const at = reader.attribute(abi.PIDINFO_CREDS, abi.SIZEOF_PIDINFO_CREDS);
      const uid = at === 0 ? undefined : reader.u32(at + abi.PIDINFO_CREDS_EUID);
      const name = uid === undefined ? undefined : all.get(uid);
      if (uid !== undefined && name !== undefined) found.set(uid, name);
    }
  }
  return found;
}

function* piecesOf(backend: Backend, subject: Subject): Generator<Piece, undefined> {
  yield [abi.FDMAP_SECTION_ABOUT, aboutRecord(subject.about)];
  for (const piece of subject.records) if (piece.length > 0) yield [abi.FDMAP_SECTION_PROCESSES, piece];
  yield [abi.FDMAP_SECTION_USERS, userRecords(owners(subject.records))];
  for (const chunk of chunks(backend, subject)) yield [abi.FDMAP_SECTION_DESCRIPTORS, chunk.u8];
}

/** The image in pieces, a head and what is behind it each. */
function* framed(backend: Backend, subject: Subject): Generator<[Uint8Array, Uint8Array], number> {
  const head = imageHead();
  yield [head, new Uint8Array(0)];
  let bytes = head.length;
  let sequence = 0;
  for (const [type, payload] of piecesOf(backend, subject)) {
    yield [sectionHead(type, sequence++, payload), payload];
    bytes += abi.SIZEOF_FDMAP_SECTION + payload.length;
  }
  const end = summaryRecord(bytes, sequence);
  yield [sectionHead(abi.FDMAP_SECTION_END, sequence, end), end];
  return bytes + abi.SIZEOF_FDMAP_SECTION + end.length;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** See the call of the same name in index.ts. */
export async function* dump(
  backend: Backend,
  target: number | readonly number[] | undefined,
  options: DumpOptions,
): AsyncGenerator<Uint8Array, undefined> {
  for (const [head, payload] of framed(backend, subjectOf(backend, target, options))) {
    yield head;
    if (payload.length > 0) yield payload;
    await nextTurn();
  }
}

const errorsOf = ({ failed }: Subject) =>
  failed.map(({ pid, errno }) => ({ pid, error: { code: errnoName(errno), syscall: 'dump' } }));

/** See the call of the same name in index.ts. */
export async function dumpTo(
  backend: Backend,
  output: string | Writable,
  target: number | readonly number[] | undefined,
  options: DumpOptions,
): Promise<DumpSummary> {
  const subject = subjectOf(backend, target, options);
  const errors = errorsOf(subject);
  if (typeof output === 'string') return { bytes: await toFile(output, framed(backend, subject)), errors };
  let bytes = 0;
  const { pipeline } = process.getBuiltinModule('node:stream/promises');
  await pipeline(async function* pieces() {
    for (const piece of framed(backend, subject)) {
      for (const each of piece) {
        bytes += each.length;
        if (each.length > 0) yield each;
      }
      await nextTurn();
    }
  }, output);
  return { bytes, errors };
}

/** Who may read the file may read what the caller may: it is for its owner alone. */
const FILE_MODE = 0o600;

async function toFile(path: string, pieces: Generator<[Uint8Array, Uint8Array], number>): Promise<number> {
  try {
    const fd = openSync(path, 'w', FILE_MODE);
    try {
      for (;;) {
        const { value, done } = pieces.next();
        if (done) return value;
        writeWhole(fd, value);
        await nextTurn();
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (error instanceof SystemError || !syscall) throw error;
    throw new SystemError(errnoOf(error), syscall, { path });
  }
}

/** A pipe or a full disk may take a part. */
function writeWhole(fd: number, pieces: readonly Uint8Array[]): void {
  let left = pieces.filter(({ length }) => length > 0);
  while (left.length > 0) {
    let written = writevSync(fd, left);
    left = left.flatMap((piece) => {
      const taken = Math.min(written, piece.length);
      written -= taken;
      return taken === piece.length ? [] : [piece.subarray(taken)];
    });
  }
}

/** See the call of the same name in index.ts. */
export function capture(
  backend: Backend,
  target: number | readonly number[] | undefined,
  options: DumpOptions,
): Image {
  const subject = subjectOf(backend, target, options);
  const index = new RecordIndex();
  for (const piece of subject.records) index.addProcesses(piece, 0);
  for (const chunk of chunks(backend, subject)) index.addDescriptors(chunk, () => chunk);
  return new Image(subject.about, index, owners(subject.records), undefined);
}
