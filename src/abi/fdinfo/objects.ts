/** Descriptors of kernel objects: processes, BPF, io_uring, namespaces, and those known by name alone. */

import * as abi from '../layout.gen.ts';
import { LINK_TYPES, MAP_TYPES, PROG_TYPES } from './bpf-types.gen.ts';
import { DescriptorBase } from './descriptor.ts';
import { UNKNOWN_FLAGS } from './flags.ts';
import { textOf } from './text.ts';

class NamedDescriptor extends DescriptorBase {
  get name(): string | undefined {
    const name = this.chunk.payload(this.at, abi.FDINFO_A_NAME);
    return name && textOf(name);
  }
}

export class PidfdDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'pidfd';
  }

  /** The process or thread; 0: not in the caller's pid namespace, -1: it has been reaped. */
  get target(): number | undefined {
    const at = this.facts(abi.FDINFO_A_PIDFD, abi.SIZEOF_FDINFO_PIDFD);
    return at === 0 ? undefined : this.chunk.int(at + abi.FDINFO_PIDFD_PID);
  }

  protected override get ownMembers(): readonly string[] {
    return ['target'];
  }
}

class BpfDescriptor extends NamedDescriptor {
  protected number(offset: number): number | undefined {
    const at = this.facts(abi.FDINFO_A_BPF, abi.SIZEOF_FDINFO_BPF);
    return at === 0 ? undefined : this.chunk.word(at + offset);
  }

  get id(): number | undefined {
    return this.number(abi.FDINFO_BPF_ID);
  }
}

export class BpfMapDescriptor extends BpfDescriptor {
  override get type() {
    return super.type as 'bpf-map';
  }

  /** {@link mapType} by its name in linux/bpf.h, in lower case; undefined for one that is newer than this package's. */
  get bpfType(): string | undefined {
    return MAP_TYPES[this.mapType ?? -1];
  }

  /** enum bpf_map_type */
  get mapType(): number | undefined {
    return this.number(abi.FDINFO_BPF_TYPE);
  }

  /** Bytes. */
  get keySize(): number | undefined {
    return this.number(abi.FDINFO_BPF_KEY_SIZE);
  }

  get valueSize(): number | undefined {
    return this.number(abi.FDINFO_BPF_VALUE_SIZE);
  }

  get maxEntries(): number | undefined {
    return this.number(abi.FDINFO_BPF_MAX_ENTRIES);
  }

  get frozen(): boolean | undefined {
    const frozen = this.number(abi.FDINFO_BPF_FROZEN);
    return frozen === undefined ? undefined : frozen !== 0;
  }

  protected override get ownMembers(): readonly string[] {
    return ['id', 'name', 'bpfType', 'mapType', 'keySize', 'valueSize', 'maxEntries', 'frozen'];
  }
}

export class BpfProgDescriptor extends BpfDescriptor {
  override get type() {
    return super.type as 'bpf-prog';
  }

  /** {@link progType} by its name in linux/bpf.h, in lower case; undefined for one that is newer than this package's. */
  get bpfType(): string | undefined {
    return PROG_TYPES[this.progType ?? -1];
  }

  /** enum bpf_prog_type */
  get progType(): number | undefined {
    return this.number(abi.FDINFO_BPF_TYPE);
  }

  protected override get ownMembers(): readonly string[] {
    return ['id', 'name', 'bpfType', 'progType'];
  }
}

export class BpfLinkDescriptor extends BpfDescriptor {
  override get type() {
    return super.type as 'bpf-link';
  }

  /** {@link linkType} by its name in linux/bpf.h, in lower case; undefined for one that is newer than this package's. */
  get bpfType(): string | undefined {
    return LINK_TYPES[this.linkType ?? -1];
  }

  /** enum bpf_link_type */
  get linkType(): number | undefined {
    return this.number(abi.FDINFO_BPF_TYPE) || undefined;
  }

  /** Id of its program. */
  get progId(): number | undefined {
    return this.number(abi.FDINFO_BPF_PROGRAM) || undefined;
  }

  protected override get ownMembers(): readonly string[] {
    return ['id', 'bpfType', 'linkType', 'progId'];
  }
}

export interface Ring {
  readonly entries: number;
  readonly head: number;
  readonly tail: number;
}

export class IoUringDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'io_uring';
  }

  private own(): number {
    return this.facts(abi.FDINFO_A_IO_URING, abi.SIZEOF_FDINFO_IO_URING);
  }

  private ring(entries: number, head: number, tail: number): Ring | undefined {
    const at = this.own();
    if (at === 0) return undefined;
    const { chunk } = this;
    return { entries: chunk.word(at + entries), head: chunk.word(at + head), tail: chunk.word(at + tail) };
  }

  get submission(): Ring | undefined {
    return this.ring(
      abi.FDINFO_IO_URING_SQ_ENTRIES,
      abi.FDINFO_IO_URING_SQ_HEAD,
      abi.FDINFO_IO_URING_SQ_TAIL,
    );
  }

  get completion(): Ring | undefined {
    return this.ring(
      abi.FDINFO_IO_URING_CQ_ENTRIES,
      abi.FDINFO_IO_URING_CQ_HEAD,
      abi.FDINFO_IO_URING_CQ_TAIL,
    );
  }

  /** IORING_SETUP_* */
  get setupFlags(): number | undefined {
    const at = this.own();
    const flags = at === 0 ? UNKNOWN_FLAGS : this.chunk.word(at + abi.FDINFO_IO_URING_SETUP_FLAGS);
    return flags === UNKNOWN_FLAGS ? undefined : flags;
  }

  /** Size of the table of registered files. */
  get registeredFiles(): number | undefined {
    const at = this.own();
    if (at === 0 || this.chunk.word(at + abi.FDINFO_IO_URING_HAS_FILES) === 0) return undefined;
    return this.chunk.word(at + abi.FDINFO_IO_URING_FILES);
  }

  protected override get ownMembers(): readonly string[] {
    return ['submission', 'completion', 'setupFlags', 'registeredFiles'];
  }
}

export class NamespaceDescriptor extends NamedDescriptor {
  override get type() {
    return super.type as 'namespace';
  }

  protected override get ownMembers(): readonly string[] {
    return ['name'];
  }
}

export class UserfaultfdDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'userfaultfd';
  }

  /** UFFD_FEATURE_* that are enabled, and the kernel's own bit 31 (initialised). */
  get features(): number | undefined {
    const at = this.facts(abi.FDINFO_A_USERFAULTFD, abi.SIZEOF_FDINFO_USERFAULTFD);
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_USERFAULTFD_FEATURES);
  }

  protected override get ownMembers(): readonly string[] {
    return ['features'];
  }
}

export class PerfDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'perf';
  }

  private own(): number {
    return this.facts(abi.FDINFO_A_PERF, abi.SIZEOF_FDINFO_PERF);
  }

  /** perf_event_attr.type */
  get eventType(): number | undefined {
    const at = this.own();
    return at === 0 ? undefined : this.chunk.word(at + abi.FDINFO_PERF_EVENT_TYPE);
  }

  get config(): number | bigint | undefined {
    const at = this.own();
    return at === 0 ? undefined : this.chunk.long(at + abi.FDINFO_PERF_CONFIG);
  }

  /** -1: any. */
  get cpu(): number | undefined {
    const at = this.own();
    return at === 0 ? undefined : this.chunk.int(at + abi.FDINFO_PERF_CPU);
  }

  protected override get ownMembers(): readonly string[] {
    return ['eventType', 'config', 'cpu'];
  }
}

/** A ruleset of Landlock, of which nothing more is told. */
export class LandlockDescriptor extends DescriptorBase {
  override get type() {
    return super.type as 'landlock';
  }
}

/** Any other anonymous inode, by the name that the kernel gave it. */
export class AnonDescriptor extends NamedDescriptor {
  override get type() {
    return super.type as 'anon';
  }

  protected override get ownMembers(): readonly string[] {
    return ['name'];
  }
}
