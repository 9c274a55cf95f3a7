/** fdmap/abi: what another program reads the bytes with. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as abi from '../../src/abi.ts';
import { describeBackends } from '../helpers/backends.ts';
import { sleeper } from '../helpers/processes.ts';

describe('fdmap/abi', () => {
  test('what is written is read, by the names of the header', () => {
    const writer = new abi.RecordWriter();
    writer.begin(abi.FDMAP_KIND_DESCRIPTOR, abi.SIZEOF_FDMAP_RECORD).end();
    writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD);
    writer.setU32(writer.fixed(abi.PIDINFO_RECORD_PID), 42).setU32(writer.fixed(abi.PIDINFO_RECORD_TID), 42);
    writer.setNumber(writer.fixed(abi.PIDINFO_RECORD_START_TIME), 98_765_432_100);
    const at = writer.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
    writer.setU32(at + abi.PIDINFO_FILES_COUNT, 7).setU32(at + abi.PIDINFO_FILES_TABLE, 64);
    writer.valid(abi.PIDINFO_FILES).payload(abi.PIDINFO_CGROUP_PATH, Buffer.from('/a/ä')).end();
    writer.begin(abi.FDMAP_KIND_PROCESS, abi.SIZEOF_PIDINFO_RECORD).end(-3);
    expect([...abi.decodeProcesses(writer.finish())]).toEqual([
      { pid: 42, tid: 42, startTime: 98_760, fds: 7, fdTable: 64, cgroup: '/a/ä' },
      { pid: 0, error: -3 },
    ]);
    const [size = 0] = new Uint32Array(writer.finish().slice(0, 4).buffer);
    const cut = writer.finish().subarray(size, size + 30);
    expect(() => [...abi.decodeProcesses(cut)]).toThrow(abi.DecodeError);
  });

  test('fuzzed bytes: processes, or a DecodeError, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        // the head of a record of a process, so that some get further
        bytes.set(
          Uint8Array.of(bytes.length, bytes.length >> 8, 0, 0, 1, 0, 40, 0, 1, 0).subarray(0, bytes.length),
        );
        try {
          for (const row of abi.decodeProcesses(bytes)) expect(row.pid).toEqual(expect.any(Number));
        } catch (error) {
          expect(error).toBeInstanceOf(abi.DecodeError);
        }
      }),
    );
  });

  test('the package has it under its name, and its errors are those of the package', () => {
    const script = `
      import { DecodeError } from 'fdmap';
      import * as abi from 'fdmap/abi';
      try { [...abi.decodeProcesses(new Uint8Array(5))]; } catch (error) {
        console.log(error instanceof DecodeError, error instanceof abi.DecodeError, abi.SIZEOF_PIDINFO_RECORD);
      }`;
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
    expect(text.toString()).toBe('true true 40\n');
  });
});

describeBackends('the bytes of pidinfo()', (handle) => {
  test('say to another program what they say here', async () => {
    const { pid } = await sleeper();
    const list = handle().pidinfo([pid, process.pid], { fields: ['ppid', 'command', 'cgroup', 'fdLimit'] });
    const decoded = list.records.flatMap((piece) => [...abi.decodeProcesses(piece)]);
    // once for each id
    const paths = decoded.map(({ cgroup }) => cgroup).filter((path) => path !== undefined);
    for (const [i, row] of list.toArray().entries()) {
      const { cgroup, ...rest } = row;
      expect(decoded[i]).toMatchObject(rest);
      expect(cgroup === undefined || paths.includes(cgroup)).toBe(true);
    }
  });
});
