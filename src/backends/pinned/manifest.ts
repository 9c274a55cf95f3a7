/** struct fdmap_manifest: what an installation says of itself. */

import * as abi from '../../abi/layout.gen.ts';
import type { Hidepid } from '../../loader/skeleton.ts';
import type { Door } from '../../sys/door.ts';
import { Memory } from '../../sys/memory.ts';

export interface Manifest {
  /** Version of the binary interface: callers of another cannot use these programs. */
  readonly abi: number;
  /** Version of the package that installed it. */
  readonly version: string;
  /** Hash of the programs. */
  readonly build: string;
  /** A: every call by programs; B: by iterators, on kernels before 6.10. */
  readonly tier: 'A' | 'B';
  /** Callers see nobody's descriptors but their own. */
  readonly selfOnly: boolean;
  /** Why self-only; empty when it is not. */
  readonly reason: string;
  /** Which processes callers know of, as of the mount option of proc. */
  readonly hidepid: Hidepid;
  /** The group to which hidepid 1 and 2 do not apply. */
  readonly exemptGid: number;
  /** The only group that may call; undefined: everybody. */
  readonly group: number | undefined;
  /** The bpffs was mounted by the installation, and goes with it. */
  readonly mounted: boolean;
  /** So was the directory made. */
  readonly madeDirectory: boolean;
  /** There are text streams, for shells. */
  readonly text: boolean;
}

const TEXTS = {
  version: [abi.FDMAP_MANIFEST_VERSION, abi.FDMAP_MANIFEST_BUILD],
  build: [abi.FDMAP_MANIFEST_BUILD, abi.FDMAP_MANIFEST_REASON],
  reason: [abi.FDMAP_MANIFEST_REASON, abi.SIZEOF_FDMAP_MANIFEST],
} as const;

export function encodeManifest(door: Door, manifest: Manifest): Memory {
  const memory = new Memory(door, abi.SIZEOF_FDMAP_MANIFEST);
  memory.setU32(abi.FDMAP_MANIFEST_ABI, manifest.abi);
  memory.setU32(
    abi.FDMAP_MANIFEST_FLAGS,
    (manifest.selfOnly ? abi.FDMAP_INSTALL_SELF_ONLY : 0) |
      (manifest.mounted ? abi.FDMAP_INSTALL_MOUNTED : 0) |
      (manifest.madeDirectory ? abi.FDMAP_INSTALL_MADE_DIRECTORY : 0) |
      (manifest.text ? abi.FDMAP_INSTALL_TEXT : 0),
  );
  memory.setU32(abi.FDMAP_MANIFEST_TIER, manifest.tier === 'A' ? 1 : 2);
  memory.setU32(abi.FDMAP_MANIFEST_HIDEPID, manifest.hidepid);
  memory.setU32(abi.FDMAP_MANIFEST_EXEMPT_GID, manifest.exemptGid);
  memory.setU32(abi.FDMAP_MANIFEST_GROUP, manifest.group ?? abi.FDMAP_EVERYBODY);
  for (const name of ['version', 'build', 'reason'] as const) {
    const [from, end] = TEXTS[name];
    memory.u8.set(Buffer.from(manifest[name]).subarray(0, end - from - 1), from);
  }
  return memory;
}

export function decodeManifest(memory: Memory): Manifest {
  const word = (offset: number) => memory.u32[offset >> 2] as number;
  const text = (name: keyof typeof TEXTS) => {
    const bytes = memory.u8.subarray(...TEXTS[name]);
    const end = bytes.indexOf(0);
    return Buffer.from(bytes.subarray(0, end < 0 ? undefined : end)).toString();
  };
  const flags = word(abi.FDMAP_MANIFEST_FLAGS);
  const group = word(abi.FDMAP_MANIFEST_GROUP);
  return {
    abi: word(abi.FDMAP_MANIFEST_ABI),
    version: text('version'),
    build: text('build'),
    tier: word(abi.FDMAP_MANIFEST_TIER) === 1 ? 'A' : 'B',
    selfOnly: (flags & abi.FDMAP_INSTALL_SELF_ONLY) !== 0,
    reason: text('reason'),
    hidepid: word(abi.FDMAP_MANIFEST_HIDEPID) as Hidepid,
    exemptGid: word(abi.FDMAP_MANIFEST_EXEMPT_GID),
    group: group === abi.FDMAP_EVERYBODY ? undefined : group,
    mounted: (flags & abi.FDMAP_INSTALL_MOUNTED) !== 0,
    madeDirectory: (flags & abi.FDMAP_INSTALL_MADE_DIRECTORY) !== 0,
    text: (flags & abi.FDMAP_INSTALL_TEXT) !== 0,
  };
}
