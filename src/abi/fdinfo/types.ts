/** What kinds of descriptor there are, in the order of enum fdinfo_type (bpf/fdinfo.h). */

export const DESCRIPTOR_TYPES = [
  'unknown',
  'file',
  'dir',
  'symlink',
  'block',
  'char',
  'pipe',
  'fifo',
  'tcp',
  'udp',
  'udplite',
  'raw',
  'ping',
  'unix',
  'netlink',
  'packet',
  'vsock',
  'socket',
  'eventfd',
  'epoll',
  'timerfd',
  'signalfd',
  'inotify',
  'fanotify',
  'pidfd',
  'memfd',
  'bpf-map',
  'bpf-prog',
  'bpf-link',
  'io_uring',
  'userfaultfd',
  'perf',
  'landlock',
  'namespace',
  'mqueue',
  'anon',
] as const;

export type DescriptorType = (typeof DESCRIPTOR_TYPES)[number];

/** In place of a number: where a process is, its root, its program, a mapped file. */
export type PlaceName = 'cwd' | 'root' | 'exe' | 'mem';
export const PLACES: Readonly<Record<PlaceName, number>> = { cwd: -1, root: -2, exe: -3, mem: -4 };

export const isInetType = (type: DescriptorType): boolean =>
  type === 'tcp' || type === 'udp' || type === 'udplite' || type === 'raw' || type === 'ping';
export const isSocketType = (type: DescriptorType): boolean =>
  isInetType(type) ||
  type === 'unix' ||
  type === 'netlink' ||
  type === 'packet' ||
  type === 'vsock' ||
  type === 'socket';
