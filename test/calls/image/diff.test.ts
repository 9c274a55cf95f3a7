import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordWriter } from '../../../src/abi/attributes.ts';
import { aboutRecord, type ImageAbout, summaryRecord } from '../../../src/abi/image/about.ts';
import { imageHead, sectionHead } from '../../../src/abi/image/sections.ts';
import * as abi from '../../../src/abi/layout.gen.ts';
import { type Descriptor, diff, type Image, readImage } from '../../../src/index.ts';

interface Row {
  readonly pid: number;
  readonly fd: number;
  readonly type: number;
  readonly inode: number;
  readonly id: number;
  readonly path: string;
  readonly size: number;
  readonly pos: number;
}

const ABOUT: ImageAbout = {
  time: '2026-01-02T03:04:05.678Z',
  bootTime: 1_700_000_000_000,
  bootId: 'boot',
  host: 'host',
  release: '6.18',
  arch: 'x64',
  backend: 'kernel',
  abi: 1,
  pids: undefined,
  places: true,
  mappings: false,
  keyId: '0123456789abcdef',
};

/** An image with one process for each pid, started at `start`. */
function imageOf(rows: readonly Row[], about: Partial<ImageAbout> = {}, start = 10): Image {
  const writer = new RecordWriter();
  for (const pid of new Set(rows.map(({ pid }) => pid))) {
    writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
    writer
      .setU32(writer.fixed(abi.PIDINFO_RECORD_PID), pid)
      .setU32(writer.fixed(abi.PIDINFO_RECORD_TID), pid);
    writer.setNumber(writer.fixed(abi.PIDINFO_RECORD_START_TIME), start * 1e7).end();
  }
  const processes = writer.finish().slice();
  const descriptors = new RecordWriter();
  for (const row of rows) {
    descriptors.begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDINFO_RECORD);
    const word = (offset: number, value: number) => descriptors.setU32(descriptors.fixed(offset), value);
    word(abi.FDINFO_RECORD_PID, row.pid);
    word(abi.FDINFO_RECORD_TID, row.pid);
    word(abi.FDINFO_RECORD_FD, row.fd >>> 0);
    word(abi.FDINFO_RECORD_TYPE, row.type);
    word(abi.FDINFO_RECORD_INODE, row.inode);
    word(abi.FDINFO_RECORD_FILE_ID, row.id);
    word(abi.FDINFO_RECORD_SIZE, row.size);
    word(abi.FDINFO_RECORD_POS, row.pos);
    for (const bit of [abi.FDINFO_HAS_FILE_ID, abi.FDINFO_HAS_INODE, abi.FDINFO_HAS_SIZE, abi.FDINFO_HAS_POS])
      descriptors.valid(31 - Math.clz32(bit));
    descriptors.payload(abi.FDINFO_A_PATH, Buffer.from(row.path)).end();
  }
  const payloads: [number, Uint8Array][] = [
    [abi.FDMAP_SECTION_ABOUT, aboutRecord({ ...ABOUT, ...about })],
    [abi.FDMAP_SECTION_PROCESSES, processes],
    [abi.FDMAP_SECTION_DESCRIPTORS, descriptors.finish().slice()],
  ];
  payloads.push([abi.FDMAP_SECTION_END, summaryRecord(0, payloads.length)]);
  const framed = payloads.flatMap(([type, payload], i) => [sectionHead(type, i, payload), payload]);
  return readImage(Buffer.concat([imageHead(), ...framed]));
}

const row = (fd: number, more: Partial<Row> = {}): Row => ({
  pid: 7,
  fd,
  type: abi.FDINFO_FILE,
  inode: 100 + fd,
  id: 1000 + fd,
  path: `/file ${fd}`,
  size: 0,
  pos: 0,
  ...more,
});
const fds = (rows: readonly Descriptor[]) => rows.map(({ fd }) => fd);
const world = fc.uniqueArray(
  fc.record({
    pid: fc.integer({ min: 1, max: 3 }),
    // -1 is the working directory, -3 the program.
    fd: fc.oneof(fc.nat(6), fc.constantFrom(-1, -3)),
    type: fc.constantFrom(
      ...[abi.FDINFO_FILE, abi.FDINFO_DIR, abi.FDINFO_PIPE, abi.FDINFO_TCP, abi.FDINFO_UNIX],
      ...[abi.FDINFO_EVENTFD, abi.FDINFO_EPOLL, abi.FDINFO_MEMFD, abi.FDINFO_CHAR],
    ),
    inode: fc.nat(3),
    id: fc.nat(4),
    path: fc.constantFrom('/a', '/b'),
    size: fc.nat(1),
    pos: fc.nat(1),
  }),
  { selector: ({ pid, fd }) => `${pid} ${fd}`, maxLength: 20 },
);
const sorted = (rows: readonly Row[]) => [...rows].sort((a, b) => a.pid - b.pid || a.fd - b.fd);
const plain = (rows: Iterable<Descriptor>, ...without: string[]) =>
  [...rows].map((each) => {
    const json = each.toJSON();
    for (const name of without) delete json[name];
    return json;
  });

test('of an image and itself: nothing', () => {
  fc.assert(
    fc.property(world, (rows) => {
      const found = diff(imageOf(sorted(rows)), imageOf(sorted(rows)), { position: true });
      expect(found.empty).toBe(true);
      expect([...found.started, ...found.ended]).toEqual([]);
    }),
  );
});

test('applied to what was before it gives what is after, with a common key and without', () => {
  for (const keyId of [ABOUT.keyId, undefined]) {
    fc.assert(
      fc.property(world, world, fc.boolean(), (a, b, position) => {
        const [before, after] = [imageOf(sorted(a)), imageOf(sorted(b), { keyId })];
        const found = diff(before, after, { position });
        const without = [...(keyId ? [] : ['fileId']), ...(position ? [] : ['pos'])];
        expect(plain(found.apply(before), ...without)).toEqual(plain(after, ...without));
      }),
    );
  }
});

test('opened, closed, changed; a number that was taken again is both', () => {
  const before = imageOf([row(3), row(4), row(5), row(6)]);
  const after = imageOf([row(3), row(4, { size: 9 }), row(5, { id: 77 }), row(8)]);
  const found = diff(before, after);
  expect([fds(found.opened), fds(found.closed)]).toEqual([
    [5, 8],
    [5, 6],
  ]);
  expect(found.changed).toMatchObject([{ members: ['size'] }]);
});

test('a position is no change unless it is asked for', () => {
  const [before, after] = [imageOf([row(3)]), imageOf([row(3, { pos: 5 })])];
  expect(diff(before, after).empty).toBe(true);
  expect(diff(before, after, { position: true }).changed).toMatchObject([{ members: ['pos'] }]);
});

test('an open file that has another number has moved, where identities can be compared', () => {
  const moved = row(9, { inode: 103, id: 1003, path: '/file 3' });
  const found = diff(imageOf([row(3)]), imageOf([moved]));
  expect([found.opened.length, found.closed.length]).toEqual([0, 0]);
  expect(found.changed).toMatchObject([{ members: ['fd'] }]);
  const apart = diff(imageOf([row(3)]), imageOf([moved], { keyId: 'fedcba9876543210' }));
  expect([fds(apart.opened), fds(apart.closed)]).toEqual([[9], [3]]);
  // Another key: the same identity may be another file, and the tuple decides.
  expect(diff(imageOf([row(3)]), imageOf([row(3, { id: 5 })], { keyId: undefined })).empty).toBe(true);
});

test('a process of another start, boot or host is another one', () => {
  const rows = [row(3), row(4)];
  for (const [about, start] of [
    [{}, 11],
    [{ bootId: 'other' }, 10],
    [{ host: 'other' }, 10],
  ] as const) {
    const found = diff(imageOf(rows), imageOf(rows, about, start));
    expect([fds(found.opened), fds(found.closed)]).toEqual([
      [3, 4],
      [3, 4],
    ]);
    expect(found.started).toMatchObject([{ pid: 7 }]);
    expect(found.ended).toMatchObject([{ pid: 7 }]);
  }
});

test('what only one image has is not compared: places, mapped files', () => {
  const rows = [row(-4, { path: '/lib' }), row(-1, { path: '/home' }), row(3)];
  const [before, after] = [imageOf(rows, { mappings: true }), imageOf([row(3)], { places: false })];
  for (const found of [diff(before, after), diff(after, before)])
    expect([found.empty, found.places]).toEqual([true, false]);
  expect(fds(diff(before, after).apply(before))).toEqual([3]);
  const both = diff(before, imageOf([row(-1, { path: '/home' }), row(3)]));
  expect([both.empty, both.places, fds(both.apply(before))]).toEqual([true, true, ['cwd', 3]]);
});

test('images of different targets say so', () => {
  const of = (pids: number[] | undefined) => imageOf([row(3)], { pids });
  for (const [one, other, same] of [
    [undefined, undefined, true],
    [[7, 8], [8, 7, 7], true],
    [[7], undefined, false],
    [[7], [7, 8], false],
  ] as const)
    expect(diff(of(one && [...one]), of(other && [...other])).sameTarget).toBe(same);
});

test('groups: what was opened of one path is one', () => {
  const same = Array.from({ length: 5 }, (_, i) => row(10 + i, { path: '/log', id: i + 1 }));
  const [group, ...rest] = diff(imageOf([row(3)]), imageOf([row(3), ...same])).groups();
  expect(rest).toEqual([]);
  expect({ ...group, rows: fds(group!.rows) }).toMatchObject({
    change: 'opened',
    pid: 7,
    type: 'file',
    what: '/log',
    rows: [10, 11, 12, 13, 14],
  });
});
