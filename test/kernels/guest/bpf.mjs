// Just enough of bpf(2) to ask a kernel what it has, independent of the product under test.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const koffi = createRequire(import.meta.url)(`@koromix/koffi-linux-${process.arch}`);
const syscall = koffi.load(null).func('long syscall(long number, int command, void *attr, uint size)');
const number = process.arch === 'arm64' ? 280 : 321;

const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_SYSCALL = 31;
const BPF_F_SLEEPABLE = 1 << 4;
const BTF_KIND_FUNC = 12;

/**
 * Bytes that follow the head of a BTF type, by kind (include/uapi/linux/btf.h).
 * @type {Record<number, (length: number) => number>}
 */
const tails = {
  1: () => 4,
  3: () => 12,
  4: (n) => n * 12,
  5: (n) => n * 12,
  6: (n) => n * 8,
  13: (n) => n * 8,
  14: () => 4,
  15: (n) => n * 12,
  17: () => 4,
  19: (n) => n * 12,
};

/** @returns {Map<string, number>} the functions that the kernel describes, and their type numbers */
export function kernelFunctions() {
  const btf = readFileSync('/sys/kernel/btf/vmlinux');
  const head = btf.readUInt32LE(4);
  const types = head + btf.readUInt32LE(8);
  const end = types + btf.readUInt32LE(12);
  const strings = head + btf.readUInt32LE(16);
  const functions = new Map();
  let id = 1;
  for (let at = types; at < end; id++) {
    const info = btf.readUInt32LE(at + 4);
    const kind = (info >>> 24) & 0x1f;
    if (kind === BTF_KIND_FUNC) {
      const name = strings + btf.readUInt32LE(at);
      functions.set(btf.toString('latin1', name, btf.indexOf(0, name)), id);
    }
    at += 12 + (tails[kind]?.(info & 0xffff) ?? 0);
  }
  return functions;
}

/**
 * One instruction (include/uapi/linux/bpf.h, struct bpf_insn).
 * @param {number} code
 * @param {number} [registers] destination, and source << 4
 * @param {number} [offset]
 * @param {number} [immediate]
 * @returns {Buffer}
 */
export function instruction(code, registers = 0, offset = 0, immediate = 0) {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(registers, 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate, 4);
  return bytes;
}

/**
 * Does the verifier take this as a program of type SYSCALL?
 * @param {Buffer[]} instructions
 * @returns {boolean}
 */
export function loadsAsSyscall(instructions) {
  const code = Buffer.concat(instructions);
  const license = Buffer.from('GPL\0');
  const attr = Buffer.alloc(152);
  attr.writeUInt32LE(BPF_PROG_TYPE_SYSCALL, 0);
  attr.writeUInt32LE(code.length / 8, 4);
  attr.writeBigUInt64LE(BigInt(koffi.address(code)), 8);
  attr.writeBigUInt64LE(BigInt(koffi.address(license)), 16);
  attr.writeUInt32LE(BPF_F_SLEEPABLE, 44);
  // The descriptor stays open until this process ends: it is a short one.
  return Number(syscall(number, BPF_PROG_LOAD, attr, attr.length)) >= 0;
}
