/** The file that a process runs. */
export interface Executable {
  /** From the reader's root, as readlink(/proc/PID/exe) has it. */
  readonly path: string;
  /** The name that it was started by is gone. Proc: absent, and `path` as the kernel prints it. */
  readonly deleted?: boolean;
  /** `major:minor` as the kernel has it: of a btrfs subvolume or an overlay not that of stat(2). */
  readonly dev?: string;
  readonly inode?: number | bigint;
}
