/** What a stream's next read(2) should hold: a struct fdinfo_request in storage of the calling thread. */

import { DESCRIPTOR_TYPES, type DescriptorType } from '../../abi/fdinfo/types.ts';
import * as abi from '../../abi/layout.gen.ts';
import { Runner } from '../../sys/bpf.ts';
import type { Door } from '../../sys/door.ts';
import { Memory } from '../../sys/memory.ts';
import type { FdinfoQuestion } from '../fdinfo.ts';
import { runUntilAnswered } from './retry.ts';

/** TASK_COMM_LEN of include/linux/sched.h, without its NUL. */
const COMMAND_BYTES = 15;

export class FdinfoRequest {
  readonly #runner: Runner;
  readonly #context: Memory;

  /** @param program one of the programs `fdinfo_request`, `places_request`, `search_request` */
  constructor(door: Door, program: number) {
    this.#context = new Memory(door, abi.SIZEOF_FDINFO_REQUEST);
    this.#context.setU32(abi.FDINFO_REQUEST_ABI, abi.FDMAP_ABI);
    this.#runner = new Runner(door, program, this.#context, abi.SIZEOF_FDINFO_REQUEST);
  }

  /** One system call. @returns 0 or a negative errno */
  ask(question: FdinfoQuestion): number {
    const context = this.#context;
    let filters = 0;
    const set = (filter: number, offset: number, value: number | undefined) => {
      if (value === undefined) return;
      filters |= filter;
      context.setU32(offset, value);
    };
    set(abi.FDINFO_BY_FD, abi.FDINFO_REQUEST_FD, question.fd);
    set(abi.FDINFO_BY_PORT, abi.FDINFO_REQUEST_PORT, question.port);
    set(abi.FDINFO_BY_DEV, abi.FDINFO_REQUEST_DEV, question.dev);
    set(abi.FDINFO_BY_USER, abi.FDINFO_REQUEST_USER, question.user);
    if (question.inode !== undefined) {
      filters |= abi.FDINFO_BY_INODE;
      context.setU32(abi.FDINFO_REQUEST_INODE, question.inode % 2 ** 32);
      context.setU32(abi.FDINFO_REQUEST_INODE + 4, question.inode / 2 ** 32);
    }
    if (question.types) {
      filters |= abi.FDINFO_BY_TYPE;
      const [low, high] = maskOf(question.types);
      context.setU32(abi.FDINFO_REQUEST_TYPES, low);
      context.setU32(abi.FDINFO_REQUEST_TYPES + 4, high);
    }
    if (question.command !== undefined) filters |= this.#setCommand(question.command);
    context.setU32(abi.FDINFO_REQUEST_FILTERS, filters);
    const paths = question.paths ? abi.FDINFO_WANT_PATH : 0;
    const details = question.details ? abi.FDINFO_WANT_CLASS | abi.FDINFO_WANT_LOCKS : 0;
    const places = question.places ? abi.FDINFO_WANT_PLACES : 0;
    context.setU32(abi.FDINFO_REQUEST_WANT, paths | details | places);
    return runUntilAnswered(this.#runner, abi.FDINFO_REQUEST_ERROR >> 2);
  }

  /** Whoever reads a stream in this thread without having asked is to get everything. */
  forget(): void {
    const context = this.#context;
    context.setU32(abi.FDINFO_REQUEST_FILTERS, 0);
    context.setU32(abi.FDINFO_REQUEST_WANT, 0xffff_ffff);
    runUntilAnswered(this.#runner, abi.FDINFO_REQUEST_ERROR >> 2);
  }

  /** A name that no process can have is compared by who asks: none matches. */
  #setCommand(command: Uint8Array): number {
    if (command.length > COMMAND_BYTES) return 0;
    const { u8 } = this.#context;
    u8.fill(0, abi.FDINFO_REQUEST_COMMAND, abi.FDINFO_REQUEST_COMMAND + COMMAND_BYTES + 1);
    u8.set(command, abi.FDINFO_REQUEST_COMMAND);
    return abi.FDINFO_BY_COMMAND;
  }
}

function maskOf(types: ReadonlySet<DescriptorType>): [number, number] {
  let low = 0;
  let high = 0;
  for (const type of types) {
    const bit = DESCRIPTOR_TYPES.indexOf(type);
    if (bit < 32) low |= 1 << bit;
    else high |= 1 << (bit - 32);
  }
  return [low >>> 0, high >>> 0];
}
