import { PROCESS_FIELD_NAMES, type ProcessField } from '../abi/pidinfo/fields.ts';
import type { Backend } from '../backends/backend.ts';
import { SystemError } from '../errors.ts';
import { checkOneOf, checkPid } from './arguments.ts';
import { ProcessList } from './process-list.ts';

export interface PidinfoOptions {
  /** What is wanted of each process; what is not is not asked for either. Default: everything. */
  readonly fields?: readonly ProcessField[] | undefined;
}

/** Every row of a process has its pid; its first thread's number is the same. */
const DEFAULT_FIELDS = PROCESS_FIELD_NAMES.filter((field) => field !== 'tid');

/** See the call of the same name in index.ts. */
export function pidinfo(
  backend: Backend,
  target: number | readonly number[] | undefined,
  options: PidinfoOptions,
): ProcessList {
  const fields = options.fields ?? DEFAULT_FIELDS;
  for (const field of fields) checkOneOf(field, PROCESS_FIELD_NAMES, 'field', 'pidinfo');
  const pids = target === undefined ? undefined : typeof target === 'number' ? [target] : [...target];
  for (const pid of pids ?? []) checkPid(pid, 'pidinfo');
  const records = backend.pidinfo({
    pids: pids?.map((pid) => pid || process.pid),
    fields: new Set(fields),
  });
  const about = typeof target === 'number' ? { pid: target } : {};
  if (typeof records === 'number') throw new SystemError(records, 'pidinfo', about);
  const list = new ProcessList(records, fields, pids !== undefined);
  const error = typeof target === 'number' ? list.firstError : 0;
  if (error < 0) throw new SystemError(error, 'pidinfo', about);
  return list;
}
