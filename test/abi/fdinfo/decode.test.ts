import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordWriter } from '../../../src/abi/attributes.ts';
import { type Descriptor, decodeChunk } from '../../../src/abi/fdinfo/decode.ts';
import { Chunk } from '../../../src/abi/fdinfo/record.ts';
import { bytesOf, textOf } from '../../../src/abi/fdinfo/text.ts';
import * as abi from '../../../src/abi/layout.gen.ts';
import { DecodeError } from '../../../src/errors.ts';

function records(): Uint8Array {
  const writer = new RecordWriter();
  for (let type = 0; type <= abi.FDINFO_ANON; type++) {
    writer.begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDINFO_RECORD);
    writer.setU32(writer.fixed(abi.FDINFO_RECORD_PID), 7).setU32(writer.fixed(abi.FDINFO_RECORD_FD), type);
    writer.setU32(writer.fixed(abi.FDINFO_RECORD_TYPE), type);
    for (let bit = 0; bit < 16; bit++) writer.valid(bit);
    writer.attribute(abi.FDINFO_A_INET, abi.SIZEOF_FDINFO_INET);
    const list = writer.attribute(abi.FDINFO_A_EPOLL, abi.SIZEOF_FDINFO_LIST + abi.SIZEOF_FDINFO_TARGET);
    writer.setU32(list + abi.SIZEOF_FDINFO_LIST, 42);
    writer.payload(abi.FDINFO_A_PATH, Buffer.from('/a/b'));
    writer.end();
  }
  writer.begin(abi.FDINFO_KIND_HIDDEN, abi.SIZEOF_FDMAP_RECORD).end();
  return writer.finish().slice();
}

function decode(bytes: Uint8Array) {
  const rows: Descriptor[] = [];
  let hidden = 0;
  decodeChunk(Chunk.copyOf(bytes), rows, { hidden: () => hidden++, failed: () => undefined });
  return { rows, hidden };
}

test('a row for each descriptor, in order; what is hidden is counted', () => {
  const { rows, hidden } = decode(records());
  expect(rows.map(({ fd }) => fd)).toEqual(Array.from({ length: abi.FDINFO_ANON + 1 }, (_, i) => i));
  expect([hidden, rows[1]?.path, rows[1]?.pid]).toEqual([1, '/a/b', 7]);
});

test('records that go on with a list are part of the row before them', () => {
  const writer = new RecordWriter();
  const list = (fd: number) => {
    const at = writer.attribute(abi.FDINFO_A_EPOLL, abi.SIZEOF_FDINFO_LIST + abi.SIZEOF_FDINFO_TARGET);
    writer.setU32(at + abi.SIZEOF_FDINFO_LIST + abi.FDINFO_TARGET_FD, fd);
  };
  for (let row = 0; row < 2; row++) {
    writer.begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDINFO_RECORD);
    writer.setU32(writer.fixed(abi.FDINFO_RECORD_TYPE), abi.FDINFO_EPOLL);
    list(10 * row);
    writer.end();
    for (let more = 1; more <= 2; more++) {
      writer.begin(abi.FDINFO_KIND_MORE, abi.SIZEOF_FDINFO_MORE);
      list(10 * row + more);
      writer.end();
    }
  }
  const targets = decode(writer.finish()).rows.map(
    (row) => row.type === 'epoll' && row.targets?.map(({ fd }) => fd),
  );
  expect(targets).toEqual([
    [0, 1, 2],
    [10, 11, 12],
  ]);
});

test('a stream that is cut off anywhere is a DecodeError, or ends at a record', () => {
  const bytes = records();
  const whole = decode(bytes).rows.length;
  for (let length = 0; length < bytes.length; length += 4) {
    try {
      expect(decode(bytes.subarray(0, length)).rows.length).toBeLessThanOrEqual(whole);
      expect(length % 8).toBe(0);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }
});

test('garbled bytes give rows or a DecodeError, never anything else', () => {
  const bytes = records();
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(damage, (changes) => {
      const garbled = bytes.slice();
      for (const [at, value] of changes) garbled[at] = value;
      try {
        for (const row of decode(garbled).rows) JSON.stringify(row);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test('bytes of any kind are text, and the text is those bytes again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect([...bytesOf(textOf(bytes))]).toEqual([...bytes]);
    }),
  );
  for (const text of ['', 'ä', '\ufffd', '😀\udcff']) expect(textOf(bytesOf(text))).toBe(text);
});
