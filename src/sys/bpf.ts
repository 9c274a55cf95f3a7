/** bpf(2), a command each. Results are descriptors or 0; failures are negative errnos. */

import type { Door } from './door.ts';
import { EAGAIN, ENAMETOOLONG } from './errno.ts';
import { Memory } from './memory.ts';
import type { ThreadCall } from './thread.ts';
import * as uapi from './uapi.gen.ts';
import { SYSCALLS } from './uapi.gen.ts';

/** include/uapi/linux/bpf.h: what a program of type SYSCALL must be */
const BPF_F_SLEEPABLE = 1 << 4;
/** The same header: map flags and file flags that leave user space the right to read alone. */
const BPF_F_RDONLY = 1 << 3;
/** Verification gives up with EAGAIN when a signal is pending; libbpf tries as often. */
const LOAD_ATTEMPTS = 5;

function attr(door: Door): Memory {
  return new Memory(door, uapi.SIZEOF_BPF_ATTR);
}

function call(door: Door, command: number, attributes: Memory): number {
  const result = door.bpf(command, attributes.address, uapi.SIZEOF_BPF_ATTR);
  attributes.keep();
  return result;
}

/** bpf_attr's names are 16 bytes with their end. */
function setName(attributes: Memory, offset: number, name: string): void {
  attributes.u8.set(Buffer.from(name).subarray(0, 15), offset);
}

/** A map of one element, which holds `size` bytes. */
export function createArray(door: Door, name: string, size: number): number {
  const a = attr(door);
  a.setU32(uapi.ATTR_MAP_CREATE_MAP_TYPE, uapi.BPF_MAP_TYPE_ARRAY);
  a.setU32(uapi.ATTR_MAP_CREATE_KEY_SIZE, 4);
  a.setU32(uapi.ATTR_MAP_CREATE_VALUE_SIZE, size);
  a.setU32(uapi.ATTR_MAP_CREATE_MAX_ENTRIES, 1);
  setName(a, uapi.ATTR_MAP_CREATE_MAP_NAME, name);
  return call(door, uapi.BPF_MAP_CREATE, a);
}

/** Element 0 of an array map. */
export function updateElement(door: Door, map: number, value: Memory): number {
  const key = new Memory(door, 8);
  const a = attr(door);
  a.setU32(uapi.ATTR_MAP_ELEM_MAP_FD, map);
  a.setPointer(uapi.ATTR_MAP_ELEM_KEY, key);
  a.setPointer(uapi.ATTR_MAP_ELEM_VALUE, value);
  return call(door, uapi.BPF_MAP_UPDATE_ELEM, a);
}

/** Element 0 of an array map, into `value`. */
export function lookupElement(door: Door, map: number, value: Memory): number {
  const key = new Memory(door, 8);
  const a = attr(door);
  a.setU32(uapi.ATTR_MAP_ELEM_MAP_FD, map);
  a.setPointer(uapi.ATTR_MAP_ELEM_KEY, key);
  a.setPointer(uapi.ATTR_MAP_ELEM_VALUE, value);
  return call(door, uapi.BPF_MAP_LOOKUP_ELEM, a);
}

/** From here on user space cannot write the map any more (5.2). */
export function freezeMap(door: Door, map: number): number {
  const a = attr(door);
  a.setU32(uapi.ATTR_MAP_ELEM_MAP_FD, map);
  return call(door, uapi.BPF_MAP_FREEZE, a);
}

/** Gives a map, program or link a name in a bpffs; it lives as long as the name does. */
export function pinObject(door: Door, fd: number, path: string): number {
  const name = Memory.string(door, path);
  const a = attr(door);
  a.setPointer(uapi.ATTR_OBJ_PATHNAME, name);
  a.setU32(uapi.ATTR_OBJ_BPF_FD, fd);
  return call(door, uapi.BPF_OBJ_PIN, a);
}

/** PATH_MAX of limits.h: the longest that a system call takes, its NUL included. */
const PATH_MAX = 4096;

/**
 * Opens pinned maps and programs by their paths, for reading and running: all that the mode 0444
 * allows. A pinned link is refused with EINVAL; it is opened by open(2). One piece of memory for
 * all, because a handle opens fifteen.
 */
export function pinnedGetter(door: Door): (path: string) => number {
  const name = new Memory(door, PATH_MAX);
  const bytes = Buffer.from(name.buffer);
  const a = attr(door);
  a.setPointer(uapi.ATTR_OBJ_PATHNAME, name);
  a.setU32(uapi.ATTR_OBJ_FILE_FLAGS, BPF_F_RDONLY);
  return (path) => {
    const length = bytes.write(path);
    // What was cut off would lead elsewhere.
    if (length > PATH_MAX - 4) return -ENAMETOOLONG;
    bytes[length] = 0;
    return call(door, uapi.BPF_OBJ_GET, a);
  };
}

/** enum bpf_prog_type of a program; needs no privilege. */
export const programType = (door: Door, program: number): number =>
  infoWord(door, program, uapi.SIZEOF_BPF_PROG_INFO, uapi.BPF_PROG_INFO_TYPE);

/** How many bytes a lookup will write; needs no privilege. */
export const valueSize = (door: Door, map: number): number =>
  infoWord(door, map, uapi.SIZEOF_BPF_MAP_INFO, uapi.BPF_MAP_INFO_VALUE_SIZE);

/** One word of what the kernel tells about a program or map, or a negative errno. */
function infoWord(door: Door, fd: number, size: number, offset: number): number {
  const info = new Memory(door, size);
  const a = attr(door);
  a.setU32(uapi.ATTR_INFO_BPF_FD, fd);
  a.setU32(uapi.ATTR_INFO_INFO_LEN, size);
  a.setPointer(uapi.ATTR_INFO_INFO, info);
  const result = call(door, uapi.BPF_OBJ_GET_INFO_BY_FD, a);
  return result < 0 ? result : info.u32[offset >> 2]!;
}

/** A program of type SYSCALL that finds `map` at index 0 of its descriptors. */
export function loadSyscallProgram(
  door: Door,
  name: string,
  insns: Memory,
  insnBytes: number,
  map: number,
): number {
  const license = Memory.string(door, 'Dual MIT/GPL');
  const descriptors = new Memory(door, 8);
  descriptors.i32[0] = map;
  const a = attr(door);
  a.setU32(uapi.ATTR_PROG_LOAD_PROG_TYPE, uapi.BPF_PROG_TYPE_SYSCALL);
  a.setU32(uapi.ATTR_PROG_LOAD_INSN_CNT, insnBytes / 8);
  a.setPointer(uapi.ATTR_PROG_LOAD_INSNS, insns);
  a.setPointer(uapi.ATTR_PROG_LOAD_LICENSE, license);
  a.setU32(uapi.ATTR_PROG_LOAD_PROG_FLAGS, BPF_F_SLEEPABLE);
  a.setPointer(uapi.ATTR_PROG_LOAD_FD_ARRAY, descriptors);
  setName(a, uapi.ATTR_PROG_LOAD_PROG_NAME, name);
  let result = -EAGAIN;
  for (let i = 0; i < LOAD_ATTEMPTS && result === -EAGAIN; i++) result = call(door, uapi.BPF_PROG_LOAD, a);
  return result;
}

/** A program and its context, ready to be run again and again with one call each. */
export class Runner {
  readonly context: Memory;
  readonly #door: Door;
  readonly #attr: Memory;

  /** @param size bytes of `context` that go in and come out */
  constructor(door: Door, program: number, context: Memory, size: number) {
    this.context = context;
    this.#door = door;
    this.#attr = attr(door);
    this.#attr.setU32(uapi.ATTR_TEST_PROG_FD, program);
    this.#attr.setU32(uapi.ATTR_TEST_CTX_SIZE_IN, size);
    this.#attr.setPointer(uapi.ATTR_TEST_CTX_IN, context);
  }

  /** One system call; the context is question and answer. */
  run(): number {
    // Members behind those of the `test` part need not be copied in.
    return this.#door.bpf(uapi.BPF_PROG_TEST_RUN, this.#attr.address, uapi.ATTR_TEST_BATCH_SIZE + 4);
  }

  /** The same call, to be made by another thread. */
  asThreadCall(): ThreadCall {
    const { bpf } = SYSCALLS[process.arch as keyof typeof SYSCALLS];
    return { number: bpf, args: [uapi.BPF_PROG_TEST_RUN, this.#attr.address, uapi.ATTR_TEST_BATCH_SIZE + 4] };
  }

  /** What the program itself returned in the last run, as an int. */
  get returned(): number {
    return this.#attr.i32[uapi.ATTR_TEST_RETVAL >> 2]!;
  }
}

/** A link of an iterator program: of every task, of the thread `tid` alone, or of all threads of process `pid`. */
export function createIteratorLink(door: Door, program: number, tid = 0, pid = 0): number {
  const info = new Memory(door, uapi.SIZEOF_BPF_ITER_LINK_INFO);
  info.setU32(uapi.ITER_LINK_INFO_TASK_TID, tid);
  info.setU32(uapi.ITER_LINK_INFO_TASK_PID, pid);
  const a = attr(door);
  a.setU32(uapi.ATTR_LINK_CREATE_PROG_FD, program);
  a.setU32(uapi.ATTR_LINK_CREATE_ATTACH_TYPE, uapi.BPF_TRACE_ITER);
  if (tid || pid) {
    a.setPointer(uapi.ATTR_LINK_CREATE_ITER_INFO, info);
    a.setU32(uapi.ATTR_LINK_CREATE_ITER_INFO_LEN, uapi.SIZEOF_BPF_ITER_LINK_INFO);
  }
  return call(door, uapi.BPF_LINK_CREATE, a);
}

/** A descriptor to read an iterator's stream from; each has a stream of its own. */
export function createIterator(door: Door, link: number): number {
  const a = attr(door);
  a.setU32(uapi.ATTR_ITER_CREATE_LINK_FD, link);
  return call(door, uapi.BPF_ITER_CREATE, a);
}
