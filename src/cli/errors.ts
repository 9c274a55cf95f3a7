/** What an error means to whoever typed the command. */

import { ArgumentError, FdmapError, SystemError } from '../index.ts';
import { UsageError } from './arguments.ts';
import { EXIT, type ExitCode } from './command.ts';

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof ArgumentError) return EXIT.usage;
  return error instanceof SystemError && error.code === 'ESRCH' ? EXIT.nothing : EXIT.refused;
}

export function messageOf(error: unknown): string {
  if (error instanceof UsageError) return `${error.message} (fdmap --help)`;
  if (error instanceof SystemError && error.pid !== undefined) {
    if (error.code === 'ESRCH') return `${error.pid}: no such process (ESRCH)`;
    if (error.code === 'EACCES') return `${error.pid}: not permitted to read its descriptors (EACCES)`;
  }
  if (error instanceof SystemError || error instanceof FdmapError || error instanceof ArgumentError) {
    return error.message;
  }
  return `internal error: ${error instanceof Error ? error.message : String(error)} (NODE_DEBUG=fdmap shows where)`;
}
