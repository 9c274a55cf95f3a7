/** /proc/PID/exe, without touching the file: proc_pid_exe(5), proc_pid_maps(5). */

import { readlinkSync } from 'node:fs';
import { textOf } from '../../abi/fdinfo/text.ts';
import type { Executable } from '../../abi/pidinfo/executable.ts';
import { errnoOf } from '../../sys/errno.ts';
import type { ProcFiles } from './files.ts';

/** Undefined for a kernel thread, a zombie and a process that may not be read. */
export function executableOf(files: ProcFiles, pid: number): Executable | undefined {
  const link = linkBytes(`/proc/${pid}/exe`);
  return link && { path: textOf(link), ...mappedAs(files, pid, link) };
}

function linkBytes(path: string): Buffer | undefined {
  try {
    return readlinkSync(path, 'buffer');
  } catch (error) {
    errnoOf(error);
    return undefined;
  }
}

/** Device and inode of the mapping of this name: a program is mapped by whoever runs it. */
function mappedAs(files: ProcFiles, pid: number, link: Buffer): Partial<Executable> {
  const maps = files.whole(`/proc/${pid}/maps`);
  if (typeof maps === 'number') return {};
  // A newline is the one byte that is escaped: seq_path() in show_map_vma().
  const name = link.toString('latin1').replaceAll('\n', '\\012');
  for (const line of maps.split('\n')) {
    const match = /^\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+) +(\/.*)$/.exec(line);
    if (match?.[4] !== name) continue;
    const [major, minor] = [match[1], match[2]].map((digits) => Number.parseInt(digits as string, 16));
    const inode = BigInt(match[3] as string);
    return {
      dev: `${major}:${minor}`,
      inode: inode <= Number.MAX_SAFE_INTEGER ? Number(inode) : inode,
    };
  }
  return {};
}
