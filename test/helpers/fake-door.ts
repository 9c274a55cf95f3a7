/** A door to nowhere: answers by table, and keeps each call's arguments and bytes. */

import type { Door } from '../../src/sys/door.ts';

export interface BpfCall {
  readonly command: number;
  readonly size: number;
  /** The bpf_attr as it was at the call. */
  readonly attr: DataView;
}

/** What stands in the place of the kernel: results, or negative errnos. */
export interface Kernel {
  bpf?(call: BpfCall, index: number): number;
  syscall?(number: number, ...args: number[]): number;
}

export class FakeDoor implements Door {
  readonly bpfCalls: BpfCall[] = [];
  readonly syscalls: number[][] = [];
  readonly #kernel: Kernel;
  readonly #buffers = new Map<number, ArrayBuffer>();
  /** Beyond 32 bits, so that a half that is lost shows. */
  #next = 0x12_3456_0000;

  constructor(kernel: Kernel = {}) {
    this.#kernel = kernel;
  }

  address(buffer: ArrayBuffer): number {
    const address = this.#next;
    this.#next += Math.max((buffer.byteLength + 15) & ~15, 16);
    this.#buffers.set(address, buffer);
    return address;
  }

  /** What is at an address that was handed out. */
  at(address: number | bigint): DataView {
    const buffer = this.#buffers.get(Number(address));
    if (!buffer) throw new Error(`nothing is at ${address}`);
    return new DataView(buffer);
  }

  bpf(command: number, attr: number, size: number): number {
    const call = { command, size, attr: new DataView(this.at(attr).buffer.slice(0, size)) };
    this.bpfCalls.push(call);
    return this.#kernel.bpf?.(call, this.bpfCalls.length - 1) ?? 0;
  }

  syscall(number: number, ...args: number[]): number {
    this.syscalls.push([number, ...args]);
    return this.#kernel.syscall?.(number, ...args) ?? 0;
  }
}
