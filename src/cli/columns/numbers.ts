/** Columns of `fdmap fds` and `fdmap pids`. */

import { type Column, member } from './column.ts';

export interface DescriptorNumber {
  readonly pid: number;
  readonly fd: number;
}

export const DESCRIPTOR_NUMBERS: readonly Column<DescriptorNumber>[] = [
  member('pid', 'number', 'process or thread, as it was named; 0 is fdmap itself'),
  member('fd', 'number', 'descriptor'),
];

/** One number; which of the two it is depends on the mode. */
export interface TaskNumber {
  readonly pid?: number;
  readonly tid?: number;
}

export const TASK_NUMBERS: readonly Column<TaskNumber>[] = [
  member('pid', 'number', 'process: without a mode, and with --children'),
  member('tid', 'number', 'thread: with --tasks and --threads'),
];
