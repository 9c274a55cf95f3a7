/** Whose descriptors are read: a process, and its threads that have a table of their own. */

import { compareTables } from '../../../sys/calls.ts';
import type { Door } from '../../../sys/door.ts';
import { linkText, type ProcFiles } from '../files.ts';
import { type LocalMounts, localMounts } from './mounts.ts';

/** A descriptor table while it is read. */
export interface Subject {
  /** Its directory below /proc. */
  readonly directory: string;
  readonly pid: number;
  readonly tid: number;
  readonly command: Buffer;
  /** Effective user. */
  readonly uid: number | undefined;
  /** Inode of its network namespace; 0: not known. */
  readonly netns: number;
  readonly mounts: LocalMounts | undefined;
}

/** Of a file like /proc/PID/status. */
export interface Status {
  readonly pid: number;
  readonly threads: number;
  readonly zombie: boolean;
  readonly uid: number | undefined;
}

function parseStatus(text: string): Status {
  const field = (name: string) => new RegExp(`^${name}:\t(.*)$`, 'm').exec(text)?.[1];
  const uid = field('Uid')?.split('\t')[1];
  return {
    pid: Number(field('Tgid')),
    threads: Number(field('Threads')),
    zombie: field('State')?.startsWith('Z') === true,
    uid: uid === undefined ? undefined : Number(uid),
  };
}

export function statusOf(files: ProcFiles, pid: number): Status | number {
  const text = files.text(`/proc/${pid}/status`);
  return typeof text === 'number' ? text : parseStatus(text);
}

/**
 * Threads whose tables are shown, besides that of the first one; each table once. One
 * getdents64(2) and a kcmp(2) for each thread, where there is more than one. Whether two
 * share a table is nowhere in /proc: where kcmp(2) cannot be asked (no system-call door, a
 * kernel without it, no right to read the process), all of a process count as one. A first
 * thread that has exited has no table: the next one's is shown.
 */
export function ownTables(
  files: ProcFiles,
  door: Door | undefined,
  pid: number,
  { zombie, threads }: Status,
): readonly number[] | number {
  if (threads <= 1) return [];
  const tids = files.numbers(`/proc/${pid}/task`);
  if (typeof tids === 'number') return tids;
  const tables = zombie ? [] : [pid];
  for (const tid of tids.sort((x, y) => x - y)) {
    if (tid === pid) continue;
    const isNew = tables.every((known) => door !== undefined && compareTables(door, known, tid) > 0);
    if (tables.length === 0 || isNew) tables.push(tid);
  }
  return zombie ? tables : tables.slice(1);
}

/** @param tid `pid` for the process itself */
export function subjectOf(files: ProcFiles, pid: number, tid: number, uid: number | undefined): Subject {
  const directory = tid === pid ? `/proc/${pid}` : `/proc/${pid}/task/${tid}`;
  const command = files.text(`/proc/${pid}/comm`);
  const netns = linkText(`${directory}/ns/net`);
  return {
    directory,
    pid,
    tid,
    command: Buffer.from(typeof command === 'string' ? command.replace(/\n$/, '') : '', 'latin1'),
    uid,
    netns: typeof netns === 'string' ? Number(/\[(\d+)\]/.exec(netns)?.[1] ?? 0) : 0,
    mounts: localMounts(files, directory),
  };
}
