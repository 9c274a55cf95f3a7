/** Files, directories, devices, pipes, FIFOs, memfds, mapped files. */

import * as abi from '../layout.gen.ts';
import { DescriptorBase } from './descriptor.ts';
import { bitNames } from './flags.ts';
import { textOf } from './text.ts';

/** A regular file, directory or symbolic link (O_PATH), block device, or what must not be touched to tell. */
export class FileDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'file' | 'dir' | 'symlink' | 'block' | 'unknown';
  }

  private mappingFacts(): number {
    return this.facts(abi.FDINFO_A_MAPPING, abi.SIZEOF_FDINFO_MAPPING);
  }

  /** Of a mapped file (`fd` is `mem`): as a line of /proc/PID/maps begins. */
  get mapping(): { start: string; end: string; protection: string; offset: number | bigint } | undefined {
    const at = this.mappingFacts();
    if (at === 0) return undefined;
    const bits = this.chunk.word(at + abi.FDINFO_MAPPING_PROTECTION);
    const letter = (bit: number, name: string) => (bits & bit ? name : '-');
    return {
      start: this.chunk.hex(at + abi.FDINFO_MAPPING_START),
      end: this.chunk.hex(at + abi.FDINFO_MAPPING_END),
      protection: letter(1, 'r') + letter(2, 'w') + letter(4, 'x') + (bits & 8 ? 's' : 'p'),
      offset: this.chunk.long(at + abi.FDINFO_MAPPING_OFFSET),
    };
  }

  protected override get ownMembers(): readonly string[] {
    return ['mapping'];
  }
}

export class CharDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'char';
  }

  /** Of a pseudo-terminal, either side: the number in /dev/pts. */
  get pty(): number | undefined {
    const at = this.facts(abi.FDINFO_A_TTY, abi.SIZEOF_FDINFO_TTY);
    if (at !== 0) return this.chunk.int(at + abi.FDINFO_TTY_INDEX);
    if (!this.has(abi.FDINFO_HAS_RDEV)) return undefined;
    const rdev = this.chunk.word(this.at + abi.FDINFO_RECORD_RDEV);
    const major = rdev >>> 20;
    // UNIX98_PTY_SLAVE_MAJOR and its 8 majors: include/uapi/linux/major.h
    return major >= 136 && major <= 143 ? (major - 136) * 2 ** 20 + (rdev & 0xfffff) : undefined;
  }

  /** The master of {@link pty} (`/dev/ptmx`). */
  get master(): boolean | undefined {
    return this.facts(abi.FDINFO_A_TTY, abi.SIZEOF_FDINFO_TTY) !== 0 ? true : undefined;
  }

  protected override get ownMembers(): readonly string[] {
    return ['pty', 'master'];
  }
}

export class PipeDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'pipe' | 'fifo';
  }

  private number(offset: number): number | undefined {
    const at = this.facts(abi.FDINFO_A_PIPE, abi.SIZEOF_FDINFO_PIPE);
    return at === 0 ? undefined : this.chunk.word(at + offset);
  }

  /** Open files that can read from it. */
  get readers(): number | undefined {
    return this.number(abi.FDINFO_PIPE_READERS);
  }

  get writers(): number | undefined {
    return this.number(abi.FDINFO_PIPE_WRITERS);
  }

  /** Bytes that wait to be read. */
  get queued(): number | undefined {
    return this.number(abi.FDINFO_PIPE_HAS_QUEUED) ? this.number(abi.FDINFO_PIPE_QUEUED) : undefined;
  }

  /** Bytes that fit, as F_GETPIPE_SZ has it. */
  get capacity(): number | undefined {
    return this.number(abi.FDINFO_PIPE_CAPACITY);
  }

  protected override get ownMembers(): readonly string[] {
    return ['readers', 'writers', 'queued', 'capacity'];
  }
}

/** include/uapi/linux/fcntl.h */
const SEALS = [
  [1, 'seal'],
  [2, 'shrink'],
  [4, 'grow'],
  [8, 'write'],
  [16, 'future_write'],
  [32, 'exec'],
] as const;

export class MemfdDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'memfd';
  }

  /** As given to memfd_create(2). */
  get name(): string | undefined {
    const name = this.chunk.payload(this.at, abi.FDINFO_A_NAME);
    return textOf(name ?? new Uint8Array(0));
  }

  get seals(): string[] | undefined {
    const at = this.facts(abi.FDINFO_A_MEMFD, abi.SIZEOF_FDINFO_MEMFD);
    return at === 0 ? undefined : bitNames(this.chunk.word(at + abi.FDINFO_MEMFD_SEALS), SEALS);
  }

  protected override get ownMembers(): readonly string[] {
    return ['name', 'seals'];
  }
}

export class MqueueDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'mqueue';
  }

  private number(offset: number): number | undefined {
    const at = this.facts(abi.FDINFO_A_MQUEUE, abi.SIZEOF_FDINFO_MQUEUE);
    return at === 0 ? undefined : Number(this.chunk.long(at + offset));
  }

  /** Messages that fit, and how long one may be in bytes. */
  get maxMessages(): number | undefined {
    return this.number(abi.FDINFO_MQUEUE_MAX_MESSAGES);
  }

  get messageSize(): number | undefined {
    return this.number(abi.FDINFO_MQUEUE_MESSAGE_SIZE);
  }

  /** Messages that wait. */
  get messages(): number | undefined {
    return this.number(abi.FDINFO_MQUEUE_MESSAGES);
  }

  /** Their bytes. */
  get queued(): number | undefined {
    return this.number(abi.FDINFO_MQUEUE_QUEUED);
  }

  protected override get ownMembers(): readonly string[] {
    return ['maxMessages', 'messageSize', 'messages', 'queued'];
  }
}
