/** What the files of /proc and /sys say about privileges and restrictions; null where they cannot be read. */

import { existsSync, readFileSync, statSync } from 'node:fs';

export interface Privileges {
  /** Effective user. */
  readonly euid: number;
  readonly capBpf: boolean | null;
  readonly capPerfmon: boolean | null;
  readonly capSysAdmin: boolean | null;
  /** Lets its holder see descriptors of other users' processes. */
  readonly capSysPtrace: boolean | null;
  /** Capabilities count for bpf(2) only in the initial user namespace. */
  readonly initialUserNamespace: boolean | null;
}

export interface ProcMount {
  readonly mounted: boolean;
  /** proc(5): 0 everything, 1 no contents, 2 not even pids, 4 only what ptrace may see. */
  readonly hidepid: 0 | 1 | 2 | 4 | null;
  /** Group that hidepid 1 and 2 exempt. */
  readonly gid: number | null;
}

export interface Restrictions {
  /** kernel.unprivileged_bpf_disabled: 0 no, 1 until the next boot, 2 an administrator may change it. */
  readonly unprivilegedBpfDisabled: number | null;
  /** kernel_lockdown(7): `none`, `integrity`, `confidentiality`. */
  readonly lockdown: string | null;
  /** /sys/kernel/btf/vmlinux, without which nothing can be relocated; null where /sys is not mounted. */
  readonly btf: boolean | null;
}

// include/uapi/linux/capability.h
const CAP_SYS_PTRACE = 19n;
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;
/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the initial pid namespace. */
const INITIAL_PID_NAMESPACE = 0xefff_fffc;

/** A file's text; null for one that is not there or may not be read, which is an answer here. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) return null;
    throw error;
  }
}

export function privileges(): Privileges {
  const mask = /^CapEff:\t([\da-f]+)$/m.exec(textOf('/proc/self/status') ?? '')?.[1];
  const has = (capability: bigint) =>
    mask === undefined ? null : ((BigInt(`0x${mask}`) >> capability) & 1n) === 1n;
  const map = textOf('/proc/self/uid_map');
  return {
    euid: process.geteuid?.() ?? -1,
    capBpf: has(CAP_BPF),
    capPerfmon: has(CAP_PERFMON),
    capSysAdmin: has(CAP_SYS_ADMIN),
    capSysPtrace: has(CAP_SYS_PTRACE),
    initialUserNamespace: map === null ? null : /^\s*0\s+0\s+4294967295\s*$/.test(map),
  };
}

const HIDEPID: Readonly<Record<string, ProcMount['hidepid']>> = {
  off: 0,
  0: 0,
  noaccess: 1,
  1: 1,
  invisible: 2,
  2: 2,
  ptraceable: 4,
  4: 4,
};

export function procMount(): ProcMount {
  const mounts = textOf('/proc/self/mountinfo');
  return mounts === null ? { mounted: false, hidepid: null, gid: null } : parseProcMount(mounts);
}

/** The uppermost file system at /proc in the text of a mountinfo file: proc_pid_mountinfo(5). */
export function parseProcMount(mountinfo: string): ProcMount {
  const lines = mountinfo.split('\n').filter((line) => line.split(' ')[4] === '/proc');
  const [type, , options = ''] = (lines.at(-1)?.split(' - ')[1] ?? '').split(' ');
  if (type !== 'proc') return { mounted: false, hidepid: null, gid: null };
  const option = (name: string) => new RegExp(`(?:^|,)${name}=([^,]+)`).exec(options)?.[1];
  const hidepid = option('hidepid');
  const gid = option('gid');
  return {
    mounted: true,
    hidepid: hidepid === undefined ? 0 : (HIDEPID[hidepid] ?? null),
    gid: gid === undefined ? null : Number(gid),
  };
}

export function restrictions(): Restrictions {
  const disabled = textOf('/proc/sys/kernel/unprivileged_bpf_disabled');
  const lockdown = textOf('/sys/kernel/security/lockdown');
  return {
    unprivilegedBpfDisabled: disabled === null ? null : Number(disabled),
    lockdown: /\[(\w+)\]/.exec(lockdown ?? '')?.[1] ?? null,
    btf: existsSync('/sys/kernel') ? existsSync('/sys/kernel/btf/vmlinux') : null,
  };
}

/** By /proc; the kernel's own word is better where it can be had. */
export function inNestedPidNamespace(): boolean | null {
  try {
    return statSync('/proc/self/ns/pid').ino !== INITIAL_PID_NAMESPACE;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) return null;
    throw error;
  }
}
