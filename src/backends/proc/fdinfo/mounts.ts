/** Which mounts of a process are of a file system that stat(2) cannot hang on. */

import type { ProcFiles } from '../files.ts';

/** Of this machine alone: no server has to answer. */
const LOCAL = new Set(
  (
    'ext2 ext3 ext4 xfs btrfs f2fs jfs reiserfs nilfs2 bcachefs zfs vfat exfat ntfs3 iso9660 udf squashfs erofs ' +
    'tmpfs ramfs rootfs hugetlbfs devtmpfs devpts proc sysfs securityfs debugfs tracefs configfs cgroup cgroup2 bpf ' +
    'efivarfs pstore mqueue binfmt_misc nsfs selinuxfs fusectl'
  ).split(' '),
);

export const isLocal = (fileSystem: string) => LOCAL.has(fileSystem);

/** By id of the mount: may its files be asked? */
export type LocalMounts = ReadonlyMap<number, boolean>;

/** @returns undefined when mountinfo cannot be read */
export function localMounts(files: ProcFiles, directory: string): LocalMounts | undefined {
  const text = files.whole(`${directory}/mountinfo`);
  if (typeof text === 'number') return undefined;
  const mounts = new Map<number, boolean>();
  for (const line of text.split('\n')) {
    // proc_pid_mountinfo(5): optional fields end at a lone hyphen
    const match = /^(\d+) .* - (\S+) /.exec(line);
    if (match) mounts.set(Number(match[1]), isLocal(match[2] as string));
  }
  return mounts;
}
