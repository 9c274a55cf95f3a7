/** /proc/PID/cmdline: proc_pid_cmdline(5). */

import { ENOENT } from '../../sys/errno.ts';
import { errnoOfProcess, linkText, type ProcFiles } from './files.ts';

/**
 * The arguments of a process, or a negative errno. Empty for a kernel thread, a zombie and a
 * process that has wiped them.
 *
 * The kernel reads anonymous pages only (FOLL_ANON, 7f7ccc2ccc2e): arguments that a hostile
 * process has mapped from a file system which never answers are cut off, and nobody waits.
 */
export function readArgs(files: ProcFiles, pid: number): string[] | number {
  const bytes = files.bytes(`/proc/${pid}/cmdline`);
  // ENOENT says that there is no /proc: a process that is not there any more is ESRCH.
  if (typeof bytes === 'number')
    return bytes === -ENOENT && linkText('/proc/self') === -ENOENT ? bytes : errnoOfProcess(bytes);
  const text = bytes.toString();
  if (text === '') return [];
  // A process that wrote a title over its arguments may have left the last NUL out.
  return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0');
}
