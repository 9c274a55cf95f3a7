/** Layouts of bpf_attr, by the offsets of include/uapi/linux/bpf.h typed here a second time. */

import { describe, expect, test } from 'vitest';
import {
  createArray,
  createIterator,
  createIteratorLink,
  loadSyscallProgram,
  Runner,
  updateElement,
} from '../../src/sys/bpf.ts';
import { EAGAIN, EINVAL } from '../../src/sys/errno.ts';
import { Memory } from '../../src/sys/memory.ts';
import { FakeDoor } from '../helpers/fake-door.ts';

const text = (view: DataView, offset: number, length: number) =>
  Buffer.from(view.buffer, offset, length).toString('latin1').replace(/\0.*$/s, '');
const u32 = (view: DataView, offset: number) => view.getUint32(offset, true);
const u64 = (view: DataView, offset: number) => view.getBigUint64(offset, true);

/** Every byte outside `ranges` ([from, to)) is 0: bpf_check_uarg_tail_zero() and CHECK_ATTR() insist. */
function expectZeroOutside(view: DataView, ...ranges: [number, number][]): void {
  for (let i = 0; i < view.byteLength; i++) {
    if (!ranges.some(([from, to]) => i >= from && i < to)) expect(view.getUint8(i), `byte ${i}`).toBe(0);
  }
}

describe('bpf(2)', () => {
  test('BPF_MAP_CREATE', () => {
    const door = new FakeDoor({ bpf: () => 7 });
    expect(createArray(door, 'a name that is far too long', 1234)).toBe(7);
    const [{ command, attr }] = door.bpfCalls as [(typeof door.bpfCalls)[0]];
    expect(command).toBe(0);
    // map_type, key_size, value_size, max_entries, then flags, inner_map_fd, numa_node, map_name[16]
    expect([0, 4, 8, 12].map((offset) => u32(attr, offset))).toEqual([2, 4, 1234, 1]);
    expect(text(attr, 28, 16)).toBe('a name that is ');
    expect(attr.getUint8(28 + 15)).toBe(0);
    expectZeroOutside(attr, [0, 16], [28, 43]);
  });

  test('BPF_MAP_UPDATE_ELEM', () => {
    const door = new FakeDoor();
    const value = Memory.of(door, Buffer.from('value'));
    expect(updateElement(door, 5, value)).toBe(0);
    const [{ command, attr }] = door.bpfCalls as [(typeof door.bpfCalls)[0]];
    expect(command).toBe(2);
    expect(u32(attr, 0)).toBe(5);
    expect(u32(door.at(u64(attr, 8)), 0)).toBe(0);
    expect(u64(attr, 16)).toBe(BigInt(value.address));
    expectZeroOutside(attr, [0, 4], [8, 24]);
  });

  test('BPF_PROG_LOAD', () => {
    const door = new FakeDoor({ bpf: () => 9 });
    const insns = new Memory(door, 80);
    expect(loadSyscallProgram(door, '__loader.prog', insns, 80, 5)).toBe(9);
    const [{ command, attr }] = door.bpfCalls as [(typeof door.bpfCalls)[0]];
    expect(command).toBe(5);
    // BPF_PROG_TYPE_SYSCALL, 10 instructions
    expect([u32(attr, 0), u32(attr, 4)]).toEqual([31, 10]);
    expect(u64(attr, 8)).toBe(BigInt(insns.address));
    expect(text(door.at(u64(attr, 16)), 0, 13)).toBe('Dual MIT/GPL');
    // prog_flags: BPF_F_SLEEPABLE
    expect(u32(attr, 44)).toBe(16);
    expect(text(attr, 48, 16)).toBe('__loader.prog');
    expect(u32(door.at(u64(attr, 120)), 0)).toBe(5);
    expectZeroOutside(attr, [0, 24], [44, 64], [120, 128]);
  });

  test('BPF_PROG_LOAD is tried again at EAGAIN, five times', () => {
    const load = (door: FakeDoor) => loadSyscallProgram(door, 'p', new Memory(door, 8), 8, 5);
    const third = new FakeDoor({ bpf: (_, i) => (i < 2 ? -EAGAIN : 9) });
    expect([load(third), third.bpfCalls.length]).toEqual([9, 3]);
    const never = new FakeDoor({ bpf: () => -EAGAIN });
    expect([load(never), never.bpfCalls.length]).toEqual([-EAGAIN, 5]);
    const refused = new FakeDoor({ bpf: () => -EINVAL });
    expect([load(refused), refused.bpfCalls.length]).toEqual([-EINVAL, 1]);
  });

  test('BPF_PROG_TEST_RUN', () => {
    const door = new FakeDoor();
    const context = new Memory(door, 176);
    const runner = new Runner(door, 11, context, 176);
    expect(runner.run()).toBe(0);
    const [{ command, attr, size }] = door.bpfCalls as [(typeof door.bpfCalls)[0]];
    expect(command).toBe(10);
    // The members of `test` end with batch_size.
    expect(size).toBe(76);
    expect([u32(attr, 0), u32(attr, 40)]).toEqual([11, 176]);
    expect(u64(attr, 48)).toBe(BigInt(context.address));
    expectZeroOutside(attr, [0, 4], [40, 44], [48, 56]);
  });

  test('BPF_LINK_CREATE of an iterator, of all tasks and of one', () => {
    const door = new FakeDoor({ bpf: () => 12 });
    expect(createIteratorLink(door, 8)).toBe(12);
    expect(createIteratorLink(door, 8, 4321)).toBe(12);
    const [all, one] = door.bpfCalls as [(typeof door.bpfCalls)[0], (typeof door.bpfCalls)[0]];
    expect(all.command).toBe(28);
    // BPF_TRACE_ITER
    expect([u32(all.attr, 0), u32(all.attr, 8)]).toEqual([8, 28]);
    expectZeroOutside(all.attr, [0, 4], [8, 12]);
    const info = door.at(u64(one.attr, 16));
    expect(u32(one.attr, 24)).toBe(info.byteLength);
    expect([u32(info, 0), u32(info, 4), u32(info, 8)]).toEqual([4321, 0, 0]);
    expectZeroOutside(one.attr, [0, 4], [8, 12], [16, 28]);
  });

  test('BPF_ITER_CREATE', () => {
    const door = new FakeDoor({ bpf: () => 13 });
    expect(createIterator(door, 12)).toBe(13);
    expect([door.bpfCalls[0]!.command, u32(door.bpfCalls[0]!.attr, 0)]).toEqual([33, 12]);
    expectZeroOutside(door.bpfCalls[0]!.attr, [0, 4]);
  });
});

test('addresses keep both halves', () => {
  const door = new FakeDoor();
  const memory = new Memory(door, 8);
  const target = new Memory(door, 8);
  memory.setPointer(0, target);
  expect(memory.u64[0]).toBe(BigInt(target.address));
  expect(target.address).toBeGreaterThan(2 ** 32);
});
