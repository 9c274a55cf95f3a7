/** Descriptor counts that fail half way are none: who answers instead begins anew. */

import { release } from 'node:os';
import { expect, onTestFinished } from 'vitest';
import { RecordReader } from '../../src/abi/attributes.ts';
import * as abi from '../../src/abi/layout.gen.ts';
import { KernelBackend, loadingSource } from '../../src/backends/kernel/backend.ts';
import type { Door } from '../../src/sys/door.ts';
import { EPERM } from '../../src/sys/errno.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import * as uapi from '../../src/sys/uapi.gen.ts';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';

/** The kernel, and a word in the answers of the program of counts. */
class MeddlingDoor implements Door {
  readonly #door: Door;
  readonly #buffers = new Map<number, ArrayBuffer>();
  readonly #meddle: (context: Int32Array) => void;

  constructor(door: Door, meddle: (context: Int32Array) => void) {
    this.#door = door;
    this.#meddle = meddle;
  }

  address(buffer: ArrayBuffer): number {
    const address = this.#door.address(buffer);
    this.#buffers.set(address, buffer);
    return address;
  }

  syscall(number: number, ...args: number[]): number {
    return this.#door.syscall(number, ...args);
  }

  bpf(command: number, attr: number, size: number): number {
    const result = this.#door.bpf(command, attr, size);
    if (command !== uapi.BPF_PROG_TEST_RUN) return result;
    const question = new DataView(this.#buffers.get(attr)!);
    if (question.getUint32(uapi.ATTR_TEST_CTX_SIZE_IN, true) === abi.SIZEOF_PIDINFO_COUNTS) {
      const context = Number(question.getBigUint64(uapi.ATTR_TEST_CTX_IN, true));
      this.#meddle(new Int32Array(this.#buffers.get(context)!));
    }
    return result;
  }
}

needs('tier-a', 'root').test('a window of numbers that fails takes those before it along', async () => {
  const { pid } = await sleeper('5</dev/null');
  const errors: number[] = [];
  const door = new MeddlingDoor(nativeDoor!, (context) => {
    const window = errors.length;
    // As if one had not fitted: two windows are asked for then, and the second one is refused.
    if (window === 0) context[abi.PIDMAP_HEAD_COUNT >> 2]!++;
    if (window === 2) context[abi.PIDMAP_HEAD_ERROR >> 2] = -EPERM;
    errors.push(context[abi.PIDMAP_HEAD_ERROR >> 2]!);
  });
  const backend = new KernelBackend(door, loadingSource(door, release()));
  onTestFinished(() => backend.close());
  const ask = () => backend.pidinfo({ pids: undefined, fields: new Set(['fds']), threads: false });
  // The first question is not worth a program of its own.
  ask();
  expect(errors).toEqual([]);
  const records = ask();
  expect(errors).toEqual([0, 0, -EPERM]);
  const found: number[] = [];
  const counts = new Map<number, number>();
  for (const piece of records as Uint8Array[]) {
    const reader = new RecordReader(piece);
    while (reader.next()) {
      if (reader.kind !== abi.FDMAP_KIND_PROCESS) continue;
      const number = reader.i32(reader.at + abi.PIDINFO_RECORD_PID);
      const files = reader.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
      found.push(number);
      counts.set(number, reader.u32(files + abi.PIDINFO_FILES_COUNT));
    }
  }
  expect(found).toHaveLength(counts.size);
  expect(counts.get(pid)).toBe(4);
  expect(counts.has(process.pid)).toBe(true);
});
