import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chunk } from '../../../src/abi/fdinfo/record.ts';
import { sectionHead } from '../../../src/abi/image/sections.ts';
import * as abi from '../../../src/abi/layout.gen.ts';
import { DecodeError, diff, forecast, type Image, readImage, readImageFrom } from '../../../src/index.ts';
import { describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { sleeper } from '../../helpers/processes.ts';
import { openZoo, type Zoo } from '../../helpers/zoo.ts';

const GOLDEN = join(import.meta.dirname, 'golden.fdmap');
const golden = readFileSync(GOLDEN);
const expected = JSON.parse(readFileSync(join(import.meta.dirname, 'golden.json'), 'utf8'));
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const rowsOf = (image: Image) => plain(image.fdinfo(undefined, { places: true }).toArray());

test('an image that another version has written gives the rows that it gave there', () => {
  const image = readImage(GOLDEN);
  expect(plain(image.about)).toEqual(expected.about);
  expect([...image.users]).toEqual(expected.users);
  expect(rowsOf(image)).toEqual(expected.descriptors);
  expect(plain(image.pidinfo().toArray())).toEqual(expected.processes);
  expect(image.damage).toBeUndefined();
});

test('from a path, from bytes wherever they lie, from a stream', async () => {
  const shifted = new Uint8Array(golden.length + 3);
  shifted.set(golden, 3);
  expect(rowsOf(readImage(shifted.subarray(3)))).toEqual(expected.descriptors);
  async function* pieces() {
    for (let at = 0; at < golden.length; at += 1001) yield golden.subarray(at, at + 1001);
  }
  expect(rowsOf(await readImageFrom(pieces()))).toEqual(expected.descriptors);
});

test('records are little-endian: a machine whose words are not swaps them', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff);
  const chunk = new Chunk(bytes.buffer, 8, undefined, true);
  expect([...chunk.u8]).toEqual([...bytes]);
  expect(chunk.u32[0]).toBe(0x01020304);
  expect(chunk.i32[1]).toBe(-1);
});

test('cut off anywhere: an error that says where, and what came before', () => {
  let most = -1;
  for (let length = 0; length < golden.length; length += 37) {
    const cut = golden.subarray(0, length);
    expect(() => readImage(cut)).toThrow(DecodeError);
    let image: Image;
    try {
      image = readImage(cut, { partial: true });
    } catch (error) {
      expect(most).toBe(-1);
      expect((error as DecodeError).offset).toBeLessThanOrEqual(length);
      continue;
    }
    expect(image.damage?.message).toMatch(/cut off/);
    expect(image.damage?.offset).toBeLessThanOrEqual(length);
    const rows = rowsOf(image);
    expect(rows).toEqual(expected.descriptors.slice(0, rows.length));
    expect(rows.length).toBeGreaterThanOrEqual(most);
    most = rows.length;
  }
  expect(most).toBe(expected.descriptors.length);
});

test('cut off within a section: every record that is whole', () => {
  const { at, length } = sections().find(({ type }) => type === abi.FDMAP_SECTION_DESCRIPTORS)!;
  const payload = at + abi.SIZEOF_FDMAP_SECTION;
  const view = new DataView(golden.buffer, golden.byteOffset, golden.length);
  const second = payload + view.getUint32(payload, true);
  const rowsOfCut = (size: number) => rowsOf(readImage(golden.subarray(0, size), { partial: true })).length;
  expect(rowsOfCut(second - 1)).toBe(0);
  expect(rowsOfCut(second)).toBe(1);
  expect(rowsOfCut(second + 8)).toBe(1);
  expect(rowsOfCut(payload + length - 1)).toBeGreaterThan(1);
});

test('a changed byte anywhere is found', () => {
  fc.assert(
    fc.property(fc.nat(golden.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      // Padding of the head, which nobody reads.
      if (at >= 12 && at < 16) return;
      const bytes = Uint8Array.from(golden);
      bytes[at] = (bytes[at] as number) ^ change;
      expect(() => readImage(bytes)).toThrow(DecodeError);
    }),
    { numRuns: 300 },
  );
});

/** Where the sections of the golden image are. */
function sections(): { at: number; type: number; length: number }[] {
  const view = new DataView(golden.buffer, golden.byteOffset, golden.length);
  const found = [];
  for (let at = abi.SIZEOF_FDMAP_IMAGE; at < golden.length; ) {
    const length = view.getUint32(at + abi.FDMAP_SECTION_LENGTH, true);
    found.push({ at, type: view.getUint32(at + abi.FDMAP_SECTION_TYPE, true), length });
    at += abi.SIZEOF_FDMAP_SECTION + length;
  }
  return found;
}

test('forged images, with checksums that are right: rows or a DecodeError, never anything else', () => {
  const all = sections();
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.nat(all.length - 1), damage, (which, changes) => {
      const bytes = Uint8Array.from(golden);
      const { at, type, length } = all[which]!;
      const payload = bytes.subarray(at + abi.SIZEOF_FDMAP_SECTION, at + abi.SIZEOF_FDMAP_SECTION + length);
      for (const [offset, value] of changes) payload[offset % length] = value;
      bytes.set(sectionHead(type, which, payload), at);
      try {
        const image = readImage(bytes, { partial: true });
        for (const row of image) JSON.stringify(row);
        JSON.stringify(image.pidinfo().toArray());
        for (const pid of image.pidmap()) JSON.stringify(image.fdinfo([pid]).toArray());
        const found = diff(readImage(GOLDEN), image, { position: true });
        JSON.stringify([found.groups(), found.changed, found.apply(readImage(GOLDEN))]);
        expect(forecast(image).rows.length).toBeGreaterThanOrEqual(0);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test('not an image: an error at byte 0; there is none: the error of open(2)', () => {
  expect(() => readImage(Buffer.from('{"json": true}          '))).toThrow(/not an image of fdmap at byte 0/);
  expect(() => readImage('/nonexistent')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(() => readImage(GOLDEN).fdinfo(undefined, { mount: '/' })).toThrow(
    expect.objectContaining({ code: 'EINVAL' }),
  );
});

const directory = mkdtempSync(join(tmpdir(), 'fdmap-image-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What moves between two looks. */
const still = (row: Record<string, unknown>) => ({ ...row, remaining: undefined });

describeBackends('dump', (handle) => {
  const { test } = needs('python3');
  let zoo: Zoo;
  beforeAll(async () => {
    zoo = await openZoo();
  });
  afterAll(() => zoo.end());

  test('of the zoo: the rows, the numbers and the status that it has', async () => {
    const file = join(directory, 'zoo');
    const { bytes } = await handle().dumpTo(file, zoo.pid);
    expect(statSync(file)).toMatchObject({ size: bytes });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const image = readImage(file);
    const live = plain(handle().fdinfo(zoo.pid).toArray()).map(still);
    expect(plain(image.fdinfo().toArray()).map(still)).toEqual(live);
    expect(plain(image.fdinfo(zoo.pid).toArray()).map(still)).toEqual(live);
    expect([...image.fdmap(zoo.pid)]).toEqual([...handle().fdmap(zoo.pid)]);
    expect([...image.pidmap()]).toEqual([zoo.pid]);
    const { ppid, startTime, command } = handle().pidinfo(zoo.pid).toArray()[0]!;
    expect(image.pidinfo().toArray()).toMatchObject([{ pid: zoo.pid, ppid, startTime, command }]);
    const numbers = (type: 'pipe' | 'epoll') =>
      image
        .fdinfo(undefined, { type })
        .toArray()
        .map(({ fd }) => fd);
    expect(numbers('epoll')).toEqual([zoo.animals.epoll!.fd]);
    expect(
      image
        .fdinfo(zoo.pid, { places: true })
        .toArray()
        .map(({ fd }) => fd),
    ).toContain('cwd');
    expect(image.about).toMatchObject({ pids: [zoo.pid], backend: handle().backend, places: true });
  });

  test('into a stream, in pieces, into memory: the same', async () => {
    const sink = new PassThrough();
    const [read] = await Promise.all([readImageFrom(sink), handle().dumpTo(sink, zoo.pid)]);
    const own = await readImageFrom(handle().dump(zoo.pid));
    const rows = rowsOf(handle().capture(zoo.pid)).map(still);
    expect(rows.length).toBeGreaterThan(30);
    expect(rowsOf(read).map(still)).toEqual(rows);
    expect(rowsOf(own).map(still)).toEqual(rows);
  });

  test('of a tree, with one that is not there among those that are named', async () => {
    const other = await sleeper('7</dev/null');
    const file = join(directory, 'tree');
    const { errors } = await handle().dumpTo(file, [zoo.pid, other.pid, 2147483647]);
    expect(errors).toEqual([{ pid: 2147483647, error: { code: 'ESRCH', syscall: 'dump' } }]);
    const image = readImage(file);
    expect(image.fdinfo().errors).toMatchObject([{ pid: 2147483647, error: { code: 'ESRCH' } }]);
    expect(() => image.fdinfo(2147483647)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
    expect(
      image
        .fdinfo(other.pid)
        .toArray()
        .map(({ fd }) => fd),
    ).toContain(7);
    const tree = handle().capture(process.pid, { tree: true });
    expect([...tree.pidmap()]).toEqual(expect.arrayContaining([process.pid, zoo.pid, other.pid]));
    expect([...tree.pidmap({ mode: 'children', pid: process.pid })]).toContain(zoo.pid);
  });

  test('of nobody: the error before anything is written', async () => {
    const file = join(directory, 'none');
    await expect(handle().dumpTo(file, 2147483647)).rejects.toMatchObject({ code: 'ESRCH' });
    expect(existsSync(file)).toBe(false);
    await expect(handle().dumpTo('/nonexistent/x', zoo.pid)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

needs('python3').test('another reader of the format: docs/abi.md in Python', () => {
  const script = `
import struct, sys, zlib
data = open(sys.argv[1], 'rb').read()
assert data[:8] == b'\\x89FDMAP\\n\\x1a' and struct.unpack_from('<I', data, 8) == (1,)
at, number, fds = 16, 0, []
while at < len(data):
    kind, length, sequence, checksum = struct.unpack_from('<4I', data, at)
    payload = data[at + 16:at + 16 + length]
    assert sequence == number and zlib.crc32(data[at:at + 12] + payload) == checksum
    record = 0
    while kind == 3 and record < length:
        size, what = struct.unpack_from('<IH', payload, record)
        if what == 2: fds.append(struct.unpack_from('<i', payload, record + 32)[0])
        record += size
    at += 16 + length
    number += 1
print(*fds)`;
  const { stdout, stderr } = spawnSync('python3', ['-c', script, GOLDEN], { encoding: 'utf8' });
  const places: Record<string, number> = { cwd: -1, root: -2, exe: -3 };
  const numbers = expected.descriptors.map(({ fd }: { fd: string | number }) => places[fd] ?? fd);
  expect({ stdout, stderr }).toEqual({ stdout: `${numbers.join(' ')}\n`, stderr: '' });
});
