/** What the programs ask of the kernel, with the version and the commit that brought it. */

export interface Feature {
  readonly name: string;
  readonly summary: string;
  /** First mainline version that has it; distributions may have it earlier. */
  readonly since: string;
  /** Of torvalds/linux. */
  readonly commit: string;
}

export const FEATURES = [
  {
    name: 'syscall-programs',
    summary: 'BPF programs that are called as system calls are',
    since: '5.14',
    commit: '79a7f8bdb159',
  },
  {
    name: 'kernel-core',
    summary: 'CO-RE relocation by the kernel itself, for light skeletons',
    since: '5.17',
    commit: '1e89106da253',
  },
  {
    name: 'task-iterators',
    summary: 'pidmap by an iterator over every task',
    since: '5.8',
    commit: 'eaaacd23910f',
  },
  {
    name: 'task-iterator-parameters',
    summary: 'fdmap by an iterator over one task',
    since: '6.1',
    commit: 'f0d74c4da1f0',
  },
  {
    name: 'syscall-program-functions',
    summary: 'fdmap by a syscall program: kernel functions may be called there',
    since: '6.10',
    commit: 'a8e03b6bbb2c',
  },
  {
    name: 'task-walk',
    summary: 'pidmap by a syscall program: an open-coded walk of the task list',
    since: '6.7',
    commit: 'c68a78ffe2cb',
  },
  {
    name: 'vpid-lookup',
    summary: 'lookup of numbers in a nested pid namespace by a syscall program',
    since: '6.13',
    commit: '675c3596ff32',
  },
] as const satisfies readonly Feature[];

export type FeatureName = (typeof FEATURES)[number]['name'];

/** `'6.18.44-cloud'` is at least `'6.10'`. */
export function isAtLeast(release: string, since: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = since.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
