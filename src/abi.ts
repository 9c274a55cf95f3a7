/**
 * `fdmap/abi`: the bytes themselves. What `pidinfo()` was answered with (`records` of its
 * list), what an iterator streams and what an image holds are records with attributes in
 * the format of struct nlattr: docs/abi.md has the layouts as tables, and every name of
 * bpf/fdmap.h is a constant here.
 *
 * @packageDocumentation
 */

import * as layout from './abi/layout.gen.ts';
import { DECODERS, type ProcessValues } from './abi/pidinfo/decode.ts';
import { DecodeError, RecordReader } from './index.ts';

export * from './abi/layout.gen.ts';
export type { NamespaceName, Namespaces, ProcessValues } from './abi/pidinfo/decode.ts';
export {
  adjustedTimes,
  type CpuTimes,
  devNumbers,
  policyName,
  stateLetter,
  ttyName,
} from './abi/pidinfo/values.ts';
export { DecodeError, RecordReader, RecordWriter } from './index.ts';

/** A process or thread out of its record; `cgroup` where this very record tells the path. */
export interface DecodedProcess extends ProcessValues {
  readonly pid: number;
  readonly cgroup?: string;
  /** A negative errno, where it could not be read. */
  readonly error?: number;
}

/**
 * The processes in `bytes`, which are whole records; records of other kinds are stepped over.
 * No system call is made. A member that is absent is not known, or was not asked for.
 *
 * @throws DecodeError
 */
export function* decodeProcesses(bytes: Uint8Array): Generator<DecodedProcess, undefined> {
  const reader = new RecordReader(bytes);
  while (reader.next()) if (reader.kind === layout.FDMAP_KIND_PROCESS) yield decode(reader);
}

function decode(reader: RecordReader): DecodedProcess {
  if (reader.fixed < layout.SIZEOF_PIDINFO_RECORD)
    throw new DecodeError(`a process with a fixed part of ${reader.fixed} bytes`, reader.at);
  const pid = reader.i32(reader.at + layout.PIDINFO_RECORD_PID);
  if (reader.error !== 0) return { pid, error: reader.error };
  const row: Record<string, unknown> = { pid };
  for (const [name, value] of Object.entries(DECODERS)) {
    const found = value(reader);
    if (found !== undefined) row[name] = found;
  }
  const path = reader.payload(layout.PIDINFO_CGROUP_PATH);
  if (path) row.cgroup = Buffer.from(path).toString();
  return row as unknown as DecodedProcess;
}
