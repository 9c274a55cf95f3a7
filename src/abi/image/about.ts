/** The records of an image that are not the kernel's: where it was made, whose the numbers are, the end. */

import { DecodeError } from '../../errors.ts';
import { RecordReader, RecordWriter } from '../attributes.ts';
import { textOf } from '../fdinfo/text.ts';
import * as abi from '../layout.gen.ts';

/** Where and when an image was made. */
export interface ImageAbout {
  /** ISO 8601. */
  readonly time: string;
  /** Start of the machine, ms since 1970. */
  readonly bootTime: number;
  /** Tells one run of a machine from every other; undefined where there was no /proc. */
  readonly bootId: string | undefined;
  readonly host: string;
  /** Kernel, as uname -r has it. */
  readonly release: string;
  /** As process.arch has it. */
  readonly arch: string;
  readonly backend: string;
  readonly abi: number;
  /** Who was asked for; undefined: everybody. */
  readonly pids: readonly number[] | undefined;
  /** Does it have `cwd`, `root`, `exe`? */
  readonly places: boolean;
  /** Does it have mapped files? */
  readonly mappings: boolean;
  /** `fileId`s of two images may be compared where this is equal; undefined where there are none. */
  readonly keyId: string | undefined;
}

const NO_KEY = 0n;

export function aboutRecord(about: ImageAbout): Uint8Array {
  const writer = new RecordWriter(512).begin(abi.FDMAP_KIND_ABOUT, abi.SIZEOF_FDMAP_ABOUT);
  const contents =
    (about.pids ? 0 : abi.FDMAP_IMAGE_ALL) |
    (about.places ? abi.FDMAP_IMAGE_PLACES : 0) |
    (about.mappings ? abi.FDMAP_IMAGE_MAPPINGS : 0);
  writer.setNumber(writer.fixed(abi.FDMAP_ABOUT_TIME), Date.parse(about.time));
  writer.setNumber(writer.fixed(abi.FDMAP_ABOUT_BOOT_TIME), about.bootTime);
  writer.setU32(writer.fixed(abi.FDMAP_ABOUT_ABI), about.abi);
  writer.setU32(writer.fixed(abi.FDMAP_ABOUT_CONTENTS), contents);
  writer.setU64(writer.fixed(abi.FDMAP_ABOUT_KEY_ID), about.keyId ? BigInt(`0x${about.keyId}`) : NO_KEY);
  const text = (type: number, value: string | undefined) =>
    value !== undefined && writer.payload(type, Buffer.from(value));
  text(abi.FDMAP_ABOUT_RELEASE, about.release);
  text(abi.FDMAP_ABOUT_BOOT_ID, about.bootId);
  text(abi.FDMAP_ABOUT_HOST, about.host);
  text(abi.FDMAP_ABOUT_ARCH, about.arch);
  text(abi.FDMAP_ABOUT_BACKEND, about.backend);
  // A list that is longer than an attribute may be is not told: the records say who is there.
  const room = 16_000;
  if (about.pids && about.pids.length <= room) {
    const at = writer.attribute(abi.FDMAP_ABOUT_PIDS, abi.SIZEOF_FDMAP_ATTRIBUTE + 4 * about.pids.length);
    for (const [i, pid] of about.pids.entries()) writer.setU32(at + abi.SIZEOF_FDMAP_ATTRIBUTE + 4 * i, pid);
  }
  writer.end();
  return writer.finish();
}

/** @throws DecodeError with an offset from the beginning of `bytes` */
export function decodeAbout(bytes: Uint8Array): ImageAbout {
  const reader = new RecordReader(bytes);
  if (!reader.next() || reader.kind !== abi.FDMAP_KIND_ABOUT || reader.fixed < abi.SIZEOF_FDMAP_ABOUT)
    throw new DecodeError('an image without its first record', 0);
  const text = (type: number) => {
    const payload = reader.payload(type);
    return payload && textOf(payload);
  };
  const contents = reader.u32(abi.FDMAP_ABOUT_CONTENTS);
  const keyId = reader.u64(abi.FDMAP_ABOUT_KEY_ID);
  const pids = reader.payload(abi.FDMAP_ABOUT_PIDS);
  const time = new Date(reader.number(abi.FDMAP_ABOUT_TIME));
  if (Number.isNaN(time.getTime())) throw new DecodeError('an image of no time', abi.FDMAP_ABOUT_TIME);
  const view = pids && new DataView(pids.buffer, pids.byteOffset, pids.length);
  return {
    time: time.toISOString(),
    bootTime: reader.number(abi.FDMAP_ABOUT_BOOT_TIME),
    bootId: text(abi.FDMAP_ABOUT_BOOT_ID),
    host: text(abi.FDMAP_ABOUT_HOST) ?? '',
    release: text(abi.FDMAP_ABOUT_RELEASE) ?? '',
    arch: text(abi.FDMAP_ABOUT_ARCH) ?? '',
    backend: text(abi.FDMAP_ABOUT_BACKEND) ?? '',
    abi: reader.u32(abi.FDMAP_ABOUT_ABI),
    pids:
      contents & abi.FDMAP_IMAGE_ALL
        ? undefined
        : Array.from({ length: view ? view.byteLength >> 2 : 0 }, (_, i) => view!.getInt32(4 * i, true)),
    places: (contents & abi.FDMAP_IMAGE_PLACES) !== 0,
    mappings: (contents & abi.FDMAP_IMAGE_MAPPINGS) !== 0,
    keyId: keyId === NO_KEY ? undefined : keyId.toString(16).padStart(16, '0'),
  };
}

export function userRecords(users: ReadonlyMap<number, string>): Uint8Array {
  const writer = new RecordWriter(512);
  for (const [uid, name] of users) {
    writer.begin(abi.FDMAP_KIND_USER, abi.SIZEOF_FDMAP_USER);
    writer.setU32(writer.fixed(abi.FDMAP_USER_UID), uid);
    writer.payload(abi.FDMAP_USER_NAME, Buffer.from(name)).end();
  }
  return writer.finish();
}

/** @throws DecodeError with an offset from the beginning of `bytes` */
export function decodeUsers(bytes: Uint8Array, users: Map<number, string>): void {
  const reader = new RecordReader(bytes);
  while (reader.next()) {
    const name = reader.payload(abi.FDMAP_USER_NAME);
    if (reader.kind === abi.FDMAP_KIND_USER && reader.fixed >= abi.SIZEOF_FDMAP_USER && name)
      users.set(reader.u32(reader.at + abi.FDMAP_USER_UID), textOf(name));
  }
}

export function summaryRecord(bytes: number, sections: number): Uint8Array {
  const writer = new RecordWriter(64).begin(abi.FDMAP_KIND_SUMMARY, abi.SIZEOF_FDMAP_SUMMARY);
  writer.setNumber(writer.fixed(abi.FDMAP_SUMMARY_BYTES), bytes);
  writer.setU32(writer.fixed(abi.FDMAP_SUMMARY_SECTIONS), sections).end();
  return writer.finish();
}
