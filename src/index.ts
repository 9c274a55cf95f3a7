/**
 * fdmap(2) and pidmap(2): the descriptors of a process and the pids of a
 * machine, in bulk and in binary.
 *
 * @packageDocumentation
 */

import type { Writable } from 'node:stream';
import type { Descriptor } from './abi/fdinfo/decode.ts';
import type { ClosefromOptions } from './calls/closefrom.ts';
import { type Diagnosis, diagnose as diagnoseHere } from './calls/diagnose.ts';
import type { ExecOptions } from './calls/exec.ts';
import { exec as execHere } from './calls/exec.ts';
import type { FdinfoStreamEnd, FdinfoStreamOptions } from './calls/fdinfo/fdinfo.ts';
import type { DescriptorList } from './calls/fdinfo/list.ts';
import type { FdinfoOptions } from './calls/fdinfo/options.ts';
import type { FdmapIntoOptions, FdmapOptions } from './calls/fdmap.ts';
import type { Diff, DiffOptions } from './calls/image/diff.ts';
import * as comparing from './calls/image/diff.ts';
import type { DumpOptions, DumpSummary } from './calls/image/dump.ts';
import type { Forecast } from './calls/image/forecast.ts';
import * as checkpoints from './calls/image/forecast.ts';
import type { Image, ReadImageOptions } from './calls/image/image.ts';
import * as images from './calls/image/image.ts';
import * as handles from './calls/open.ts';
import { defaultHandle, type OpenOptions } from './calls/open.ts';
import type { PidinfoOptions } from './calls/pidinfo.ts';
import type { PidmapIntoOptions, PidmapOptions } from './calls/pidmap.ts';
import type { ProcessList } from './calls/process-list.ts';
import type {
  Directory,
  FilePath,
  FileRead,
  ProcessDirectory,
  ReadFilesOptions,
  ReadOptions,
} from './calls/readfile.ts';
import * as reading from './calls/readfile.ts';
import * as batches from './calls/readfiles.ts';

export { RecordReader, RecordWriter } from './abi/attributes.ts';
export type { Descriptor } from './abi/fdinfo/decode.ts';
export type { Access, Endpoint, Lock } from './abi/fdinfo/descriptor.ts';
export type {
  EpollTarget,
  FanotifyMark,
  InotifyWatch,
} from './abi/fdinfo/events.ts';
export type { InetAddress } from './abi/fdinfo/inet-sockets.ts';
export type { Ring } from './abi/fdinfo/objects.ts';
export type { SocketState } from './abi/fdinfo/socket-states.ts';
export type { VsockAddress } from './abi/fdinfo/sockets.ts';
export { bytesOf } from './abi/fdinfo/text.ts';
export { DESCRIPTOR_TYPES, type DescriptorType, type PlaceName } from './abi/fdinfo/types.ts';
export type { ImageAbout } from './abi/image/about.ts';
export type { NumericField } from './abi/pidinfo/decode.ts';
export type { Executable } from './abi/pidinfo/executable.ts';
export type { ProcessField } from './abi/pidinfo/fields.ts';
export type { BackendName, CallName, PidmapMode } from './backends/backend.ts';
export { BACKEND_CHOICES, type BackendChoice } from './backends/select.ts';
export type { Privileges, ProcMount, Restrictions } from './backends/surroundings.ts';
export type { ClosefromOptions } from './calls/closefrom.ts';
export type { Diagnosis, FeatureReport } from './calls/diagnose.ts';
export type { ClosedDescriptor, ExecOptions } from './calls/exec.ts';
export type { FdinfoStreamEnd, FdinfoStreamOptions } from './calls/fdinfo/fdinfo.ts';
export type { DescriptorList, FailedProcess } from './calls/fdinfo/list.ts';
export type { FdinfoOptions } from './calls/fdinfo/options.ts';
export type { FdmapIntoOptions, FdmapOptions } from './calls/fdmap.ts';
export type { ChangedDescriptor, Diff, DiffGroup, DiffOptions } from './calls/image/diff.ts';
export type { DumpOptions, DumpSummary } from './calls/image/dump.ts';
export type { Forecast, ForecastRow, Verdict } from './calls/image/forecast.ts';
export type { Image, ReadImageOptions } from './calls/image/image.ts';
export {
  type Hidepid,
  type Installed,
  type InstallOptions,
  type InstallReport,
  install,
  installed,
  type UninstallOptions,
  type UninstallReport,
  uninstall,
} from './calls/install.ts';
export { type Handle, type OpenOptions, open } from './calls/open.ts';
export type { PidinfoOptions } from './calls/pidinfo.ts';
export type { PidmapIntoOptions, PidmapOptions } from './calls/pidmap.ts';
export type { Process, ProcessList, ReadError } from './calls/process-list.ts';
export { type ProcessChanges, ProcessSnapshot } from './calls/process-snapshot.ts';
export {
  type Directory,
  type FilePath,
  type FileRead,
  ProcessDirectory,
  type ReadFilesOptions,
  type ReadOptions,
} from './calls/readfile.ts';
export type { ReadFilesAsyncOptions } from './calls/readfiles.ts';
export { userNames } from './calls/users.ts';
export { ArgumentError, DecodeError, FdmapError, type FdmapErrorCode, SystemError } from './errors.ts';

/**
 * `fdmap(pid)` - the open descriptors of a process or thread, ascending.
 *
 * Asks the kernel for the open_fds bitmap of the task's descriptor table: one
 * system call up to 1,024 descriptors, one more for each 261,760 beyond (proc
 * backend: one for each 1,300). The numbers are those at one moment within each
 * window; descriptors that are being opened just then are included.
 *
 * @param pid process or thread in the caller's pid namespace; 0, the default, is the calling thread, and
 *   needs no right. A thread that unshared its table (CLONE_FILES) has its own. A kernel thread has none.
 * @returns a view of a shared pool for short answers, as Buffer's are; empty at the end of the table
 * @throws SystemError `EINVAL` for `start` below 0; `ESRCH` for no such task; `EACCES` where
 *   readlink(/proc/PID/fd/N) would be refused; tested in this order
 */
export function fdmap(pid = 0, options: FdmapOptions = {}): Int32Array {
  return defaultHandle().fdmap(pid, options);
}

/**
 * `fdmapInto(target, pid)` - {@link fdmap} without any allocation: writes up to
 * `target.length` numbers and returns how many. 0 is the end of the table.
 *
 * @throws as {@link fdmap}
 */
export function fdmapInto(target: Int32Array, pid = 0, options?: FdmapIntoOptions): number {
  return defaultHandle().fdmapInto(target, pid, options);
}

/**
 * `pidmap({mode})` - numbers of processes or threads in the caller's pid
 * namespace, ascending, each once.
 *
 * One walk of the kernel's task list: 1 to 2 system calls up to 8,180 numbers
 * (proc backend: one or more for each process). Whatever lives from the
 * beginning of the call to its end is in the answer; the rest may be, and may be
 * gone by the time it is read. The cursor is the number itself, so that those
 * that come and go do not shift it.
 *
 * @throws SystemError `EINVAL` for a bad mode or start; `ESRCH` for no such `pid` in the modes that take one
 */
export function pidmap(options: PidmapOptions = {}): Int32Array {
  return defaultHandle().pidmap(options);
}

/**
 * `pidmapInto(target, {mode})` - {@link pidmap} into the caller's array: the
 * smallest numbers from `start` on, and returns how many.
 *
 * @throws as {@link pidmap}
 */
export function pidmapInto(target: Int32Array, options: PidmapIntoOptions = {}): number {
  return defaultHandle().pidmapInto(target, options);
}

/**
 * `pidinfo(pid | pids | nothing)` - status of one process, of several, or of
 * every process of the caller's pid namespace.
 *
 * The kernel backend asks a program about those that are named (a few of them the first sixteen
 * times by an iterator, which loads in a quarter of the time: seven calls each): one system call for
 * each 8 of them, of many for each 32 KiB of records (about 70 processes with every
 * field, 512 with a few). All of them come from an iterator, six system calls and one for
 * each 32 KiB, or, where `fds` alone is wanted again and again, from one call for each
 * 2,045. The proc backend reads, for each process, the files that the
 * fields need. The answer of each process is of one moment; that of all is not.
 *
 * A process is identified by its pid and its `startTime` together. Fields that
 * are not known are absent from a row.
 *
 * @param target a process or thread, or several; without it, every process. 0 is the caller.
 * @throws SystemError `ESRCH` when a single pid is named and there is no such process. In a bulk call it is
 *   a row `{pid, error}`. `EINVAL` for a pid that is no 32-bit integer, and for a field that does not exist.
 */
export function pidinfo(target?: number | readonly number[], options: PidinfoOptions = {}): ProcessList {
  return defaultHandle().pidinfo(target, options);
}

/**
 * `diagnose()` - what works on this machine, for this process, and why not.
 *
 * Loads each of the package's own kernel objects, asks it about this process and
 * closes it again: about 150 ms and 150 system calls, no descriptor afterwards.
 * Never throws for what does not work: that is its answer.
 *
 * @param options `backend` as in {@link open}: the choice that is explained
 */
export function diagnose(options: OpenOptions = {}): Diagnosis {
  return diagnoseHere(options);
}

/**
 * `closefrom(n, {keep, cloexec})` - closes every descriptor from `n` on, or, with
 * `cloexec`, sets close-on-exec on them, so that no child has them.
 *
 * With `cloexec` or `force`: one close_range(2) for each gap between the kept
 * numbers, usually one. Otherwise what the JavaScript runtime lives on is left
 * alone: its event loops (epoll, eventfd, io_uring, inotify), pipes with both ends in
 * this process, the terminal that it opened once more, the channel of
 * process.send() and this package's own programs, all of them only where they are
 * close-on-exec (without /proc: every anonymous inode that is). To tell, each open
 * descriptor costs one or two system calls; from 2,048 on, with the kernel or pinned
 * backend, only those that are no file, directory or socket do, and one call for each
 * 1,024 numbers tells which. Closing takes one for each run of consecutive numbers. Standard streams are closed as any other with `n` below 3.
 * Sockets, pipes and terminals of node:net and its like are closed under them, and
 * libuv aborts the process over one that it was about to watch: end them first, keep
 * their numbers, or set close-on-exec instead. What was opened two turns of setImmediate()
 * ago is being watched (a timer may run before the event loop polls).
 *
 * Where the kernel has no close_range(2), or not with close-on-exec (5.9, 5.11),
 * {@link fdmap} says what is open: nothing ever counts up to RLIMIT_NOFILE.
 *
 * @throws ArgumentError `EINVAL` for a number that can be no descriptor
 */
export function closefrom(n: number, options: ClosefromOptions = {}): void {
  handles.closefrom(n, options);
}

/**
 * `inherited()` - the descriptors that would survive an exec now, ascending: those
 * that are open and not close-on-exec. Node sets close-on-exec on what it got from its
 * parent up to number 15 or the first gap behind it (uv_disable_stdio_inheritance()),
 * and gives children what `stdio` names.
 *
 * One {@link fdmap} and one fcntl(2) for each descriptor.
 */
export function inherited(): Int32Array {
  return defaultHandle().inherited();
}

/**
 * `readfileat(directory, path, {flags, maxBytes})` - a whole file in one call, as
 * readfile(2) was proposed: open, read, close. No size is asked, so that files
 * that have none (/proc, /sys) are read as well as others; one read(2) gets what
 * fits, and one more finds the end: four system calls; three where `maxBytes` is the length,
 * and for the one-record files of a process (stat, status, statm, io, limits, cgroup, …).
 *
 * For small files: the thread waits, a file beyond 1 GiB is EFBIG, and a short answer is a
 * view of a shared pool, as Buffer's are. Needs one free descriptor for as long as it takes.
 *
 * @param directory where a relative path begins: a descriptor, a path, or a {@link processDirectory}
 * @throws SystemError whose `syscall` is `open` or `read`; `ESRCH` for a process that has gone;
 *   ArgumentError `EINVAL` for flags that would write, a NUL, or a path that leaves a process directory
 */
export function readfileat(directory: Directory, path: FilePath, options: ReadOptions = {}): Buffer {
  return reading.readfileat(directory, path, options);
}

/**
 * `readfileatInto(target, directory, path)` - {@link readfileat} without any allocation:
 * the first `target.length` bytes of a file, and returns how many. As many as `target` has
 * room for may mean that there are more.
 *
 * @throws as {@link readfileat}
 */
export function readfileatInto(
  target: Uint8Array,
  directory: Directory,
  path: FilePath,
  options: ReadOptions = {},
): number {
  return reading.readfileatInto(target, directory, path, options);
}

/**
 * `readFilesSync(paths, {directory, flags, maxBytes})` - {@link readfileat} of many, in
 * their order. A file that cannot be read has `error` in the place of `data`, and
 * the others go on.
 *
 * @throws ArgumentError `EINVAL` as {@link readfileat}, and then nothing after it is read
 */
export function readFilesSync(paths: Iterable<FilePath>, options: ReadFilesOptions = {}): FileRead[] {
  return reading.readFilesSync(paths, options);
}

/**
 * `readFiles(paths, {directory, flags, maxBytes, signal})` - {@link readFilesSync} in a
 * thread of its own: the event loop stays free, whatever a file takes to answer. Batches
 * are read one after the other. The thread starts with the first batch (about 30 ms, and
 * a few descriptors) and stays; it does not keep the process alive.
 */
export function readFiles(
  paths: Iterable<FilePath>,
  options: batches.ReadFilesAsyncOptions = {},
): Promise<FileRead[]> {
  return batches.readFiles(paths, options);
}

/**
 * `processDirectory(pid)` - a handle of /proc/PID that stands for this process alone:
 * when it has gone, reading fails with `ESRCH`, even where another process has its number
 * by then. One descriptor until {@link ProcessDirectory.close}.
 *
 * @param pid process or thread; 0 is the caller's process
 * @throws SystemError `ESRCH` for no such process, or one that the mount's hidepid hides
 */
export function processDirectory(pid: number): ProcessDirectory {
  return reading.processDirectory(pid);
}

/**
 * `exec(command, args, {closefrom, keep, nofile, env, report})` - this process becomes
 * another program, with only the wanted descriptors: same pid, parent, exit status and signals,
 * as env(1) and taskset(1) do it. Looks along PATH as execvp(3) does.
 *
 * What Node has changed is undone first: dispositions of SIGPIPE and SIGXFSZ, O_NONBLOCK and
 * terminal modes of the standard streams (as they were when this package was imported), the
 * soft RLIMIT_NOFILE, close-on-exec of what was inherited. The channel of process.send()
 * is closed unless its number is kept. Output that a stream has not written yet is lost.
 *
 * Not to be undone, because Node keeps no record of it: signals that were ignored or blocked at
 * start (nohup(1)) are at their default; a standard stream that was closed is /dev/null. A
 * descriptor below `closefrom` goes on whoever opened it, but for the runtime's own.
 *
 * @throws SystemError of execve(2), and nothing has changed then; `EBADF` for a kept descriptor that is not open;
 *   ArgumentError `EINVAL`
 */
export function exec(command: string, args: readonly string[] = [], options: ExecOptions = {}): never {
  return execHere(defaultHandle().lent, command, args, options);
}

/**
 * `fdinfo(pid | pids | nothing)` - everything about the descriptors of one
 * process, of several, or of every process of the caller's pid namespace.
 *
 * One stream of records from the kernel, 32 KiB a read: about 0.4 microseconds
 * a descriptor; opening it takes 5 system calls (proc backend: 2 to 4 for each
 * descriptor). No file of another process is touched. The records stay as they
 * came; each member of a row is decoded when it is read, and is undefined where
 * it is not known. Filters that save the kernel work run there.
 *
 * @throws SystemError `ESRCH` and `EACCES` for a single `pid` (in a list of pids they are in `errors`);
 *   the errno of stat(2) for a `mount` that is not there
 * @throws ArgumentError `EINVAL`
 */
export function fdinfo(target?: number | readonly number[], options: FdinfoOptions = {}): DescriptorList {
  return defaultHandle().fdinfo(target, options);
}

/**
 * `fdinfoStream()` - {@link fdinfo} in batches of up to 1 MiB of records, with a turn of
 * the event loop between them: memory does not grow with the number of descriptors.
 * Holds two descriptors until it ends.
 *
 * @returns batches of rows, and at its end what could not be told ({@link FdinfoStreamEnd})
 * @throws as {@link fdinfo}
 */
export function fdinfoStream(
  options: FdinfoStreamOptions = {},
): AsyncGenerator<Descriptor[], FdinfoStreamEnd> {
  return defaultHandle().fdinfoStream(options);
}

/**
 * `dump(pid | pids | nothing, {tree})` - an image of descriptors and processes, in pieces
 * as they are to be written: what {@link readImage} reads on any machine. The records are the
 * kernel's own bytes; not one is decoded. docs/dump.md has the format.
 *
 * For `for await`, `stream.pipeline()` and `Readable.from()`; between two pieces the event loop
 * has a turn. Costs what {@link pidinfo} and {@link fdinfo} cost.
 *
 * @throws SystemError `ESRCH` and `EACCES` for a single `pid`, before the first piece; several of which
 *   some cannot be read are in the image as errors
 */
export function dump(
  target?: number | readonly number[],
  options: DumpOptions = {},
): AsyncGenerator<Uint8Array, undefined> {
  return defaultHandle().dump(target, options);
}

/**
 * `dumpTo(path | stream, pid | pids | nothing, {tree})` - {@link dump} into a file, which is its
 * owner's alone (mode 0600), or into a stream, which is ended.
 *
 * @throws as {@link dump}; SystemError of open(2) and write(2)
 */
export function dumpTo(
  output: string | Writable,
  target?: number | readonly number[],
  options: DumpOptions = {},
): Promise<DumpSummary> {
  return defaultHandle().dumpTo(output, target, options);
}

/**
 * `capture(pid | pids | nothing, {tree})` - what {@link dump} would write, in memory: to be asked
 * again later, and to be compared.
 *
 * @throws as {@link dump}
 */
export function capture(target?: number | readonly number[], options: DumpOptions = {}): Image {
  return defaultHandle().capture(target, options);
}

/**
 * `readImage(path | descriptor | bytes)` - an {@link Image}, which answers {@link fdmap},
 * {@link pidmap}, {@link pidinfo} and {@link fdinfo} with the same rows that the machine had
 * it was made on. Every checksum and every head of a record is looked at.
 *
 * @throws DecodeError with the offset of the first byte that is not as it should be; with `partial`
 *   that is `damage` of the image, as long as it says where it is from. SystemError of open(2) and read(2)
 */
export function readImage(source: string | number | Uint8Array, options: ReadImageOptions = {}): Image {
  return images.readImage(source, options);
}

/** `readImageFrom(stream)` - {@link readImage} of what comes in pieces: a stream, a {@link dump}. */
export function readImageFrom(
  stream: AsyncIterable<Uint8Array>,
  options: ReadImageOptions = {},
): Promise<Image> {
  return images.readImageFrom(stream, options);
}

/**
 * `diff(before, after, {position})` - what was opened, closed and changed between two images,
 * of {@link readImage} or {@link capture}. No system call.
 *
 * A descriptor is the same where its open file is, if both images have a key in common (`keyId`), and
 * type, device and inode are equal; else where process (pid and start time), number, type, device,
 * inode and path are. A number that was closed and taken again is closed and opened; an open file that
 * has another number is changed. Processes of another boot or host are other processes. Mapped files
 * are not compared, and `cwd`, `root` and `exe` where both images have them. Images of different
 * targets are compared as they are: `sameTarget` is false then.
 */
export function diff(before: Image, after: Image, options: DiffOptions = {}): Diff {
  return comparing.diff(before, after, options);
}

/**
 * `forecast(image)` - would `criu dump` take each descriptor of this tree? Nothing is stopped. For
 * each: dumpable, with which option, or not, with the reason; what CRIU keeps of it, and what of that
 * is not known. Of a tree: `forecast(capture(pid, {tree: true}))`. By the rules of CRIU 4. No system call.
 *
 * About descriptors alone: memory, threads, devices that are mapped and the kernel's own abilities
 * (`criu check`) are other conditions of a checkpoint.
 */
export function forecast(image: Image): Forecast {
  return checkpoints.forecast(image);
}
