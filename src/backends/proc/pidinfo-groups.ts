/** One function for each group of fields: from what /proc says to the attribute of the record. */

import type { RecordWriter } from '../../abi/attributes.ts';
import * as abi from '../../abi/layout.gen.ts';
import { NOT_KNOWN } from '../../abi/pidinfo/decode.ts';
import { addKindCounts } from '../../abi/pidinfo/kinds.ts';
import { stateOf } from '../../abi/pidinfo/values.ts';
import { EACCES, ENOENT, EPERM } from '../../sys/errno.ts';
import { olderHierarchies, unifiedPath } from './cgroup.ts';
import { directorySize, linkText } from './files.ts';
import type { Source } from './pidinfo.ts';
import { ioBytes, namespaceInode, openFilesLimit, statusWords } from './pidinfo-text.ts';
import type { ProcessStat } from './stat.ts';

/** A clock tick of USER_HZ. */
const TICK_NS = 1e7;

function addStatus(writer: RecordWriter, stat: ProcessStat): number {
  const at = writer.attribute(abi.PIDINFO_STATUS, abi.SIZEOF_PIDINFO_STATUS);
  writer
    .setU32(at + abi.PIDINFO_STATUS_PPID, stat.ppid)
    .setU32(at + abi.PIDINFO_STATUS_PGID, stat.pgid)
    .setU32(at + abi.PIDINFO_STATUS_SID, stat.sid)
    .setU32(at + abi.PIDINFO_STATUS_STATE, stateOf(stat.state))
    .setU32(at + abi.PIDINFO_STATUS_TASK_FLAGS, stat.flags)
    .setU32(at + abi.PIDINFO_STATUS_THREADS, stat.threads)
    .setU32(at + abi.PIDINFO_STATUS_TTY, stat.tty)
    .setBytes(at + abi.PIDINFO_STATUS_COMMAND, Buffer.from(stat.command, 'latin1').subarray(0, 15))
    .valid(abi.PIDINFO_STATUS);
  return 0;
}

function addTimes(writer: RecordWriter, stat: ProcessStat): number {
  const at = writer.attribute(abi.PIDINFO_TIMES, abi.SIZEOF_PIDINFO_TIMES);
  writer
    .setU32(at + abi.PIDINFO_TIMES_FLAGS, abi.PIDINFO_ADJUSTED)
    .setNumber(at + abi.PIDINFO_TIMES_UTIME, stat.userTime * TICK_NS)
    .setNumber(at + abi.PIDINFO_TIMES_STIME, stat.systemTime * TICK_NS)
    .valid(abi.PIDINFO_TIMES);
  return 0;
}

function addFaults(writer: RecordWriter, stat: ProcessStat): number {
  const at = writer.attribute(abi.PIDINFO_FAULTS, abi.SIZEOF_PIDINFO_FAULTS);
  writer
    .setNumber(at + abi.PIDINFO_FAULTS_MINOR, stat.minorFaults)
    .setNumber(at + abi.PIDINFO_FAULTS_MAJOR, stat.majorFaults)
    .valid(abi.PIDINFO_FAULTS);
  return 0;
}

function addMemory(writer: RecordWriter, stat: ProcessStat, source: Source): number {
  const at = writer.attribute(abi.PIDINFO_MEMORY, abi.SIZEOF_PIDINFO_MEMORY);
  const { files, fields, directory, pageSize } = source;
  const statm = fields.has('shared') ? files.text(`${directory}/statm`) : '';
  const shared = typeof statm === 'string' ? statm.split(' ')[2] : undefined;
  writer
    .setNumber(at + abi.PIDINFO_MEMORY_VSIZE, stat.vsize)
    .setNumber(at + abi.PIDINFO_MEMORY_RSS, stat.rss * pageSize)
    .valid(abi.PIDINFO_MEMORY);
  if (shared !== undefined) writer.setNumber(at + abi.PIDINFO_MEMORY_SHARED, Number(shared) * pageSize);
  else writer.setU32(at + abi.PIDINFO_MEMORY_SHARED + 4, NOT_KNOWN);
  return 0;
}

function addSched(writer: RecordWriter, stat: ProcessStat, source: Source): number {
  const { files, fields, directory } = source;
  const score = fields.has('oomScoreAdj') ? files.text(`${directory}/oom_score_adj`) : '';
  if (typeof score === 'number') return score;
  const at = writer.attribute(abi.PIDINFO_SCHED, abi.SIZEOF_PIDINFO_SCHED);
  writer
    .setU32(at + abi.PIDINFO_SCHED_PRIORITY, stat.priority)
    .setU32(at + abi.PIDINFO_SCHED_NICE, stat.nice)
    .setU32(at + abi.PIDINFO_SCHED_POLICY, stat.policy)
    .setU32(at + abi.PIDINFO_SCHED_CPU, stat.cpu)
    .setU32(at + abi.PIDINFO_SCHED_OOM_SCORE_ADJ, Number(score))
    .valid(abi.PIDINFO_SCHED);
  return 0;
}

/** Groups that the stat file, which is always read, has most of. */
export const OF_STAT: readonly (readonly [
  number,
  (writer: RecordWriter, stat: ProcessStat, source: Source) => number,
])[] = [
  [abi.PIDINFO_STATUS, addStatus],
  [abi.PIDINFO_TIMES, addTimes],
  [abi.PIDINFO_FAULTS, addFaults],
  [abi.PIDINFO_MEMORY, addMemory],
  [abi.PIDINFO_SCHED, addSched],
];

function addCreds(writer: RecordWriter, source: Source): number {
  const status = source.status();
  if (typeof status === 'number') return status;
  const uids = statusWords(status, 'Uid')?.map(Number);
  const gids = statusWords(status, 'Gid')?.map(Number);
  const capabilities = statusWords(status, 'CapEff')?.[0];
  if (uids?.length !== 4 || gids?.length !== 4 || capabilities === undefined) return 0;
  const [uid, euid, suid, fsuid] = uids as [number, number, number, number];
  const [gid, egid, sgid, fsgid] = gids as [number, number, number, number];
  const at = writer.attribute(abi.PIDINFO_CREDS, abi.SIZEOF_PIDINFO_CREDS);
  writer
    .setU32(at + abi.PIDINFO_CREDS_UID, uid)
    .setU32(at + abi.PIDINFO_CREDS_EUID, euid)
    .setU32(at + abi.PIDINFO_CREDS_SUID, suid)
    .setU32(at + abi.PIDINFO_CREDS_FSUID, fsuid)
    .setU32(at + abi.PIDINFO_CREDS_GID, gid)
    .setU32(at + abi.PIDINFO_CREDS_EGID, egid)
    .setU32(at + abi.PIDINFO_CREDS_SGID, sgid)
    .setU32(at + abi.PIDINFO_CREDS_FSGID, fsgid)
    .setU64(at + abi.PIDINFO_CREDS_CAP_EFFECTIVE, BigInt(`0x${capabilities}`))
    .valid(abi.PIDINFO_CREDS);
  return 0;
}

function addFiles(writer: RecordWriter, source: Source): number {
  let table = NOT_KNOWN;
  if (source.fields.has('fdTable')) {
    const status = source.status();
    if (typeof status === 'number') return status;
    // A zombie's status has no such line: it has no table.
    table = Number(statusWords(status, 'FDSize')?.[0] ?? 0);
  }
  const at = writer.attribute(abi.PIDINFO_FILES, abi.SIZEOF_PIDINFO_FILES);
  writer
    .setU32(at + abi.PIDINFO_FILES_COUNT, descriptorCount(source))
    .setU32(at + abi.PIDINFO_FILES_TABLE, table)
    .valid(abi.PIDINFO_FILES);
  return 0;
}

/** The size of the directory since Linux 6.2 (f1f1f2569901); before, where it is always 0, its listing. */
function descriptorCount({ files, directory }: Source): number {
  const size = directorySize(`${directory}/fd`);
  if (size > 0 || (size === 0 && sizesAreCounts())) return size;
  const numbers = files.numbers(`${directory}/fd`);
  return typeof numbers === 'number' ? NOT_KNOWN : numbers.length;
}

let counts: boolean | undefined;

/** Of a process that has none, a zombie say, the size is 0 too: our own tells the two apart, we have some. */
function sizesAreCounts(): boolean {
  counts ??= directorySize('/proc/self/fd') > 0;
  return counts;
}

function addKinds(writer: RecordWriter, source: Source): number {
  const counts = source.kinds();
  if (typeof counts === 'number') return isAbsent(counts) ? 0 : counts;
  addKindCounts(writer, counts);
  return 0;
}

function addLimit(writer: RecordWriter, { files, directory }: Source): number {
  const limits = files.text(`${directory}/limits`);
  if (typeof limits === 'number') return limits;
  const found = openFilesLimit(limits);
  // A zombie's file is empty when its sighand is gone.
  if (!found) return 0;
  const at = writer.attribute(abi.PIDINFO_LIMIT, abi.SIZEOF_PIDINFO_LIMIT);
  writer
    .setU64(at + abi.PIDINFO_LIMIT_SOFT, found.soft)
    .setU64(at + abi.PIDINFO_LIMIT_HARD, found.hard)
    .valid(abi.PIDINFO_LIMIT);
  return 0;
}

/** Refused by the access check, or not in this kernel: the group is absent. */
const isAbsent = (errno: number) => errno === -EACCES || errno === -EPERM || errno === -ENOENT;

function addIo(writer: RecordWriter, { files, directory }: Source): number {
  const io = files.text(`${directory}/io`);
  if (typeof io === 'number') return isAbsent(io) ? 0 : io;
  const at = writer.attribute(abi.PIDINFO_IO, abi.SIZEOF_PIDINFO_IO);
  writer
    .setNumber(at + abi.PIDINFO_IO_READ_BYTES, ioBytes(io, 'read_bytes'))
    .setNumber(at + abi.PIDINFO_IO_WRITE_BYTES, ioBytes(io, 'write_bytes'))
    .valid(abi.PIDINFO_IO);
  return 0;
}

const NAMESPACES: readonly (readonly [string, number])[] = [
  ['user', abi.PIDINFO_NAMESPACES_USER],
  ['pid', abi.PIDINFO_NAMESPACES_PID],
  ['cgroup', abi.PIDINFO_NAMESPACES_CGROUP],
  ['ipc', abi.PIDINFO_NAMESPACES_IPC],
  ['mnt', abi.PIDINFO_NAMESPACES_MNT],
  ['net', abi.PIDINFO_NAMESPACES_NET],
  ['pid_for_children', abi.PIDINFO_NAMESPACES_PID_FOR_CHILDREN],
  ['time', abi.PIDINFO_NAMESPACES_TIME],
  ['time_for_children', abi.PIDINFO_NAMESPACES_TIME_FOR_CHILDREN],
  ['uts', abi.PIDINFO_NAMESPACES_UTS],
];

function addNamespaces(writer: RecordWriter, { directory }: Source): number {
  const inodes = NAMESPACES.map(([name]) => {
    const link = linkText(`${directory}/ns/${name}`);
    return typeof link === 'string' ? namespaceInode(link) : link;
  });
  // Every process has a user namespace: where that link is refused, all are.
  if ((inodes[0] as number) < 0) return isAbsent(inodes[0] as number) ? 0 : (inodes[0] as number);
  const at = writer.attribute(abi.PIDINFO_NAMESPACES, abi.SIZEOF_PIDINFO_NAMESPACES);
  NAMESPACES.forEach(([, offset], i) => {
    writer.setU32(at + offset, Math.max(inodes[i] as number, 0));
  });
  writer.valid(abi.PIDINFO_NAMESPACES);
  return 0;
}

/** A kernel without cgroups has no such file. */
function addCgroup(writer: RecordWriter, source: Source): number {
  const text = source.cgroup();
  if (typeof text === 'number') return isAbsent(text) ? 0 : text;
  const path = unifiedPath(text);
  if (path === undefined) return 0;
  const id = source.cgroupIds().get(path);
  if (id !== undefined) {
    const at = writer.attribute(abi.PIDINFO_CGROUP, abi.SIZEOF_PIDINFO_CGROUP);
    writer.setU64(at + abi.PIDINFO_CGROUP_ID, id).valid(abi.PIDINFO_CGROUP);
  }
  if (source.fields.has('cgroup'))
    writer.payload(abi.PIDINFO_CGROUP_PATH, Buffer.from(path, 'latin1')).valid(abi.PIDINFO_CGROUP_PATH);
  return 0;
}

function addHierarchies(writer: RecordWriter, source: Source): number {
  const text = source.cgroup();
  if (typeof text === 'number') return isAbsent(text) ? 0 : text;
  const lines = Buffer.from(olderHierarchies(text), 'latin1');
  if (lines.length > 0) writer.payload(abi.PIDINFO_CGROUPS_V1, lines).valid(abi.PIDINFO_CGROUPS_V1);
  return 0;
}

/** Groups that have files of their own. */
export const OF_FILES: readonly (readonly [number, (writer: RecordWriter, source: Source) => number])[] = [
  [abi.PIDINFO_CREDS, addCreds],
  [abi.PIDINFO_FILES, addFiles],
  [abi.PIDINFO_KINDS, addKinds],
  [abi.PIDINFO_LIMIT, addLimit],
  [abi.PIDINFO_IO, addIo],
  [abi.PIDINFO_NAMESPACES, addNamespaces],
  [abi.PIDINFO_CGROUP, addCgroup],
  [abi.PIDINFO_CGROUPS_V1, addHierarchies],
];
