/**
 * Columns that are made of more than the row: of tables of this machine, and of the process. Nothing is
 * joined to the rows of an image, which may be of another machine and is of another time.
 */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type Descriptor, type Process, pidinfo } from '../../index.ts';

let recorded = false;

/** The rows are those of an image. */
export function joinNothing(): void {
  recorded = true;
}

/** What `read` gives, once for each key; undefined where a file is not there, or not to be read. */
export function known<K, V>(read: (key: K) => V): (key: K) => V | undefined {
  const answers = new Map<K, V | undefined>();
  return (key) => {
    if (recorded) return undefined;
    if (!answers.has(key))
      answers.set(
        key,
        attempt(() => read(key)),
      );
    return answers.get(key);
  };
}

/** A process that has gone meanwhile, an interface, a table that this kernel has not. */
const ABSENT = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL']);

function attempt<V>(read: () => V): V | undefined {
  try {
    return read();
  } catch (error) {
    if (!ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return undefined;
  }
}

const processOf = known(
  (pid: number): Process | undefined =>
    pidinfo(pid, { fields: ['ppid', 'pgid', 'kernelThread', 'command'] }).toArray()[0],
);

export const ppidOf = ({ pid }: Descriptor) => processOf(pid)?.ppid;
export const pgidOf = ({ pid }: Descriptor) => processOf(pid)?.pgid;
export const isKernelThread = ({ pid }: Descriptor) => processOf(pid)?.kernelThread;

/** Names of block devices by `major:minor`. */
const partitions = known((path: string) => {
  const names = new Map<string, string>();
  for (const [, major, minor, name] of readFileSync(path, 'latin1').matchAll(/^ *(\d+) +(\d+) +\d+ (\S+)$/gm))
    names.set(`${major}:${minor}`, name as string);
  return names;
});

/** The block device that a descriptor is of. */
export const partitionOf = ({ type, rdev }: Descriptor) =>
  type === 'block' && rdev !== undefined ? partitions('/proc/partitions')?.get(rdev) : undefined;

/** proc_pid_mountinfo(5): blanks and backslashes in octal. */
const unescaped = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** What is mounted, by the device of the file system. */
const sources = known((path: string) => {
  const found = new Map<string, string>();
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const [head = '', tail = ''] = line.split(' - ');
    const device = head.split(' ')[2];
    const source = tail.split(' ')[1];
    if (device !== undefined && source !== undefined && !found.has(device))
      found.set(device, unescaped(source));
  }
  return found;
});

/** The source of the file system that it is on, where it is mounted here. */
export const sourceOf = ({ dev }: Descriptor) =>
  dev === undefined ? undefined : sources('/proc/self/mountinfo')?.get(dev);

const ownNetns = known((path: string) => Number(/\[(\d+)\]/.exec(readlinkSync(path))?.[1]));

/** Names of network interfaces by index. */
const interfaces = known((directory: string) => {
  const names = new Map<number, string>();
  for (const name of readdirSync(directory)) {
    const index = attempt(() => Number(readFileSync(`${directory}/${name}/ifindex`, 'latin1')));
    if (index !== undefined) names.set(index, name);
  }
  return names;
});

/** Of a socket in the network namespace of this process: elsewhere an index is another interface's. */
export function interfaceNameOf(row: Descriptor): string | undefined {
  if (!('interface' in row) || !('netns' in row) || !row.interface) return undefined;
  return row.netns === ownNetns('/proc/self/ns/net')
    ? interfaces('/sys/class/net')?.get(row.interface)
    : undefined;
}

const targetOf = (row: Descriptor) =>
  row.type === 'pidfd' && row.target !== undefined && row.target > 0 ? row.target : undefined;

/** The process of a pidfd. */
export function targetCommandOf(row: Descriptor): string | undefined {
  const target = targetOf(row);
  return target === undefined ? undefined : processOf(target)?.command;
}

const namespacePids = known((pid: number) =>
  /^NSpid:\s+(.*)$/m
    .exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    ?.split('\t')
    .map(Number),
);

/** Its numbers, from the reader's pid namespace down to its own. */
export function targetPidsOf(row: Descriptor): readonly number[] | undefined {
  const target = targetOf(row);
  return target === undefined ? undefined : namespacePids(target);
}

/** Documentation/admin-guide/devices.txt: misc, TUN/TAP */
const TUN = '10:200';

const tunnel = known((path: string) => /^iff:\s+(\S+)$/m.exec(readFileSync(path, 'latin1'))?.[1]);

/** The network interface behind a descriptor of /dev/net/tun: a line of its own in /proc/PID/fdinfo. */
export const tunnelOf = ({ type, rdev, pid, fd }: Descriptor) =>
  type === 'char' && rdev === TUN ? tunnel(`/proc/${pid}/fdinfo/${fd}`) : undefined;
