import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecordReader, RecordWriter } from '../../src/abi/attributes.ts';
import * as abi from '../../src/abi/layout.gen.ts';
import { PROCESS_FIELD_NAMES } from '../../src/abi/pidinfo/fields.ts';
import { adjustedTimes, stateLetter, stateOf, ticks, ttyName } from '../../src/abi/pidinfo/values.ts';
import { ProcessList } from '../../src/calls/process-list.ts';
import { DecodeError } from '../../src/errors.ts';

const text = (words: string) => new TextEncoder().encode(words);

function sample(): Uint8Array {
  const writer = new RecordWriter(16);
  writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
  writer.setU32(writer.fixed(abi.PIDINFO_RECORD_PID), 42).setU32(writer.fixed(abi.PIDINFO_RECORD_TID), 43);
  writer.setNumber(writer.fixed(abi.PIDINFO_RECORD_START_TIME), 12_345_678_901);
  const at = writer.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
  writer
    .setU32(at + abi.PIDINFO_FILES_COUNT, 7)
    .setU32(at + abi.PIDINFO_FILES_TABLE, 64)
    .valid(3);
  writer.payload(60, text('odd')).payload(1000, text('of a later version'));
  writer.end();
  writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD).end(-3);
  return writer.finish();
}

/** A process with every group that there is. */
function everyGroup(): Uint8Array {
  const writer = new RecordWriter(16);
  writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
  writer.setU32(writer.fixed(abi.PIDINFO_RECORD_PID), 44).setU32(writer.fixed(abi.PIDINFO_RECORD_TID), 44);
  for (const [type, size] of [
    [abi.PIDINFO_STATUS, abi.SIZEOF_PIDINFO_STATUS],
    [abi.PIDINFO_CREDS, abi.SIZEOF_PIDINFO_CREDS],
    [abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES],
    [abi.PIDINFO_LIMIT, abi.SIZEOF_PIDINFO_LIMIT],
    [abi.PIDINFO_TIMES, abi.SIZEOF_PIDINFO_TIMES],
    [abi.PIDINFO_FAULTS, abi.SIZEOF_PIDINFO_FAULTS],
    [abi.PIDINFO_IO, abi.SIZEOF_PIDINFO_IO],
    [abi.PIDINFO_MEMORY, abi.SIZEOF_PIDINFO_MEMORY],
    [abi.PIDINFO_SCHED, abi.SIZEOF_PIDINFO_SCHED],
    [abi.PIDINFO_CGROUP, abi.SIZEOF_PIDINFO_CGROUP],
    [abi.PIDINFO_NAMESPACES, abi.SIZEOF_PIDINFO_NAMESPACES],
    [abi.PIDINFO_KINDS, abi.SIZEOF_PIDINFO_KINDS],
  ] as const) {
    const at = writer.attribute(type, size);
    for (let word = 4; word < size; word += 4) writer.setU32(at + word, type * 1000 + word);
    writer.valid(type);
  }
  writer.payload(abi.PIDINFO_CGROUP_PATH, text('/a/b')).valid(abi.PIDINFO_CGROUP_PATH);
  writer.payload(abi.PIDINFO_CGROUPS_V1, text('1:cpu:/a\n2:name=x:/b')).valid(abi.PIDINFO_CGROUPS_V1);
  writer.end();
  return writer.finish();
}

const listOf = (records: Uint8Array) =>
  new ProcessList({
    records: [records],
    fields: PROCESS_FIELD_NAMES,
    named: true,
    bootTime: () => 0,
    args: () => -2,
    executables: () => new Map(),
    startTimes: () => new Map(),
  });

describe('records', () => {
  test('what is written is read', () => {
    const reader = new RecordReader(sample());
    expect(reader.next()).toBe(true);
    expect(reader).toMatchObject({ kind: abi.FDMAP_KIND_PROCESS, error: 0, mask: 8, at: 0 });
    expect(reader.size % 8).toBe(0);
    expect(reader.number(reader.at + abi.PIDINFO_RECORD_START_TIME)).toBe(12_345_678_901);
    expect(new TextDecoder().decode(reader.payload(60))).toBe('odd');
    expect(reader.payload(61)).toBeUndefined();
    const files = reader.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
    expect(reader.u32(files + abi.PIDINFO_FILES_COUNT)).toBe(7);
    expect(reader.next()).toBe(true);
    expect(reader.error).toBe(-3);
    expect(reader.next()).toBe(false);
    const [first, second] = listOf(sample()).toArray();
    expect(first).toMatchObject({ pid: 42, tid: 43, startTime: 12_340, fds: 7, fdTable: 64 });
    expect(first).not.toHaveProperty('uid');
    expect(second).toEqual({ pid: 0, error: { code: 'ESRCH', syscall: 'pidinfo' } });
  });

  test('a head, an attribute or a record that is cut off is a DecodeError', () => {
    const whole = sample();
    const [first = 0] = new Uint32Array(whole.slice(0, 4).buffer);
    for (let length = 1; length < whole.length; length++) {
      if (length === first) continue;
      expect(() => listOf(whole.slice(0, length)).toArray(), `${length} bytes`).toThrow(DecodeError);
    }
  });

  test('an attribute that is shorter than its struct, and a fixed part that is too short', () => {
    const writer = new RecordWriter();
    writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD).payload(abi.PIDINFO_CREDS, text('four'));
    writer.end();
    expect(() => listOf(writer.finish()).toArray()).toThrow(/attribute 2/);
    const short = new RecordWriter();
    short.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_FDMAP_RECORD).end();
    expect(() => listOf(short.finish()).toArray()).toThrow(/fixed part of 24/);
  });

  test('another version is refused, another kind is stepped over', () => {
    const other = sample();
    new DataView(other.buffer, other.byteOffset).setUint16(abi.FDMAP_RECORD_VERSION, 2, true);
    expect(() => listOf(other)).toThrow(/version 2/);
    const writer = new RecordWriter();
    writer.begin(99, abi.SIZEOF_FDMAP_RECORD).end();
    expect(listOf(writer.finish()).toArray()).toEqual([]);
  });

  test('a record of every group has every field', () => {
    const [row] = listOf(everyGroup()).toArray();
    expect(PROCESS_FIELD_NAMES.filter((field) => row![field] === undefined)).toEqual(['args', 'exe']);
    expect(row).toMatchObject({ cgroup: '/a/b', cgroups: { cpu: '/a', 'name=x': '/b' }, euid: 2008 });
  });

  test('fuzzed bytes: rows, or a DecodeError, and nothing else', () => {
    const whole = Buffer.concat([sample(), everyGroup()]);
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(whole.length), (changes, end) => {
        const bytes = whole.slice(0, changes.length % 2 ? end : whole.length);
        for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          const list = listOf(bytes);
          expect(list.toArray()).toHaveLength(list.length);
          list.columns(['fds', 'rss', 'userTime', 'readBytes', 'nice', 'cgroupId', 'fdUse']);
          list.snapshot();
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('values', () => {
  test('states: the letters of get_task_state(), and back', () => {
    expect([0, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x402, 0x1000, 0x8000, 0x101].map(stateLetter).join('')).toBe(
      'RSDTtXZPIDDS',
    );
    for (const letter of 'RSDTtXZPI') expect(stateLetter(stateOf(letter))).toBe(letter);
  });

  test('terminals', () => {
    expect([0, 0x8800, 0x8803, 0x0401, 0x0440, 0x0501, 0x2a07].map(ttyName)).toEqual([
      null,
      'pts/0',
      'pts/3',
      'tty1',
      'ttyS0',
      'console',
      '42:7',
    ]);
    // new_encode_dev(): the upper bits of the minor are above the major
    expect(ttyName((136 << 8) | 0x01 | (0x2 << 20))).toBe('pts/513');
  });

  test('times: the ticks share out the running time, and nothing goes back', () => {
    const times = { utime: 0, stime: 0, runtime: 0, prevUtime: 0, prevStime: 0 };
    expect(adjustedTimes({ ...times, utime: 30, stime: 10, runtime: 80 })).toEqual({ utime: 60, stime: 20 });
    expect(adjustedTimes({ ...times, runtime: 5 })).toEqual({ utime: 5, stime: 0 });
    expect(adjustedTimes({ ...times, stime: 5, runtime: 7 })).toEqual({ utime: 0, stime: 7 });
    expect(adjustedTimes({ ...times, runtime: 5, prevUtime: 4, prevStime: 2 })).toEqual({
      utime: 4,
      stime: 2,
    });
    expect(
      adjustedTimes({ ...times, utime: 1, stime: 9, runtime: 100, prevUtime: 50, prevStime: 10 }),
    ).toEqual({ utime: 50, stime: 50 });
    fc.assert(
      fc.property(
        fc.record({
          utime: fc.maxSafeNat(),
          stime: fc.maxSafeNat(),
          runtime: fc.maxSafeNat(),
          prevUtime: fc.constant(0),
          prevStime: fc.constant(0),
        }),
        (each) => {
          const { utime, stime, runtime } = each;
          fc.pre(utime > 0 && stime > 0 && utime + stime <= Number.MAX_SAFE_INTEGER && runtime > 0);
          const exact = Number((BigInt(stime) * BigInt(runtime)) / BigInt(stime + utime));
          expect(ticks(adjustedTimes(each).stime)).toBe(ticks(exact));
        },
      ),
    );
  });
});
