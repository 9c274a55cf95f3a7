/** The calls that an administrator has pinned for everybody: no privilege is needed. */

import { SystemError } from '../../errors.ts';
import { LoadError } from '../../loader/skeleton.ts';
import type { Door } from '../../sys/door.ts';
import { ENOSYS, EPERM } from '../../sys/errno.ts';
import type { Backend } from '../backend.ts';
import { KernelBackend } from '../kernel/backend.ts';
import { inVersion, readManifest } from './directory.ts';
import type { Manifest } from './manifest.ts';
import { pinnedSource } from './source.ts';
import { StreamBackend } from './streams.ts';

export interface Pinned {
  readonly backend: Backend;
  /** In words, what was found. */
  readonly found: string;
}

/**
 * The programs by bpf(2). Where that is forbidden altogether (EPERM or ENOSYS:
 * a container's seccomp filter, or a kernel before 5.19 that shuts ordinary users
 * out), the pinned streams, which open(2) and read(2) are enough for.
 *
 * @throws FdmapError ERR_FDMAP_NOT_INSTALLED, ERR_FDMAP_UNSAFE_DIRECTORY, ERR_FDMAP_ABI;
 *   SystemError, of opening the manifest
 */
export function openPinned(door: Door, directory: string): Pinned {
  return inVersion(directory, (version) => openVersion(door, directory, version));
}

function openVersion(door: Door, directory: string, version: string): Pinned {
  let manifest: Manifest;
  try {
    manifest = readManifest(door, version);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return {
      backend: new StreamBackend(door, directory),
      found: `the calls in ${directory}, each by a stream of the whole machine, for bpf(2) is forbidden here`,
    };
  }
  const limits = manifest.selfOnly ? `, self-only: ${manifest.reason}` : '';
  return {
    backend: new KernelBackend(door, pinnedSource(door, directory, version), 'pinned'),
    found: `the calls in ${directory}, of version ${manifest.version}${limits}`,
  };
}

function isForbidden(error: unknown): boolean {
  if (!(error instanceof SystemError) && !(error instanceof LoadError)) return false;
  return error.errno === -EPERM || error.errno === -ENOSYS;
}
