import { compareVersions } from './catalogue.mjs';

/**
 * What the kernel side needs, and since when kernels have it. `commit` is where it came from. A
 * statement here is a promise that every run checks against real kernels: by guest/probe.mjs, which
 * asks the kernel itself, and by what `fdmap doctor` says of the same.
 *
 * @typedef {object} Feature
 * @property {string} id what the probe calls it
 * @property {string} what
 * @property {string} since the first version that has it
 * @property {string} commit
 * @property {string} [doctor] what `fdmap doctor` calls it, where it knows of it
 */

/** @type {Feature[]} */
export const features = [
  {
    id: 'bpf_iter_task',
    what: 'iterators over every task',
    since: '5.8',
    commit: 'eaaacd23910f',
    doctor: 'task-iterators',
  },
  {
    id: 'syscall-program',
    what: 'programs of type SYSCALL',
    since: '5.14',
    commit: '79a7f8bdb159',
    doctor: 'syscall-programs',
  },
  {
    id: 'bpf_core_apply',
    what: 'relocation by the kernel itself',
    since: '5.17',
    commit: '1e89106da253',
    doctor: 'kernel-core',
  },
  {
    id: 'bpf_iter_attach_task',
    what: 'iterators over one task',
    since: '6.1',
    commit: 'f0d74c4da1f0',
    doctor: 'task-iterator-parameters',
  },
  { id: 'bpf_task_from_pid', what: 'a task by its number', since: '6.2', commit: '3f0e6f2b41d3' },
  { id: 'bpf_rcu_read_lock', what: 'RCU sections in programs', since: '6.2', commit: '9bb00b2895cb' },
  { id: 'bpf_rdonly_cast', what: 'typed reads through any pointer', since: '6.2', commit: 'a35b9af4ec2c' },
  {
    id: 'bpf_iter_task_new',
    what: 'a walk of all tasks in one program',
    since: '6.7',
    commit: 'c68a78ffe2cb',
    doctor: 'task-walk',
  },
  {
    id: 'syscall-kfuncs',
    what: 'kernel functions in SYSCALL programs',
    since: '6.10',
    commit: 'a8e03b6bbb2c',
    doctor: 'syscall-program-functions',
  },
  { id: 'bpf_preempt_disable', what: 'sections without preemption', since: '6.10', commit: 'fc7566ad0a82' },
  {
    id: 'bpf_task_from_vpid',
    what: "a task by its number in the caller's namespace",
    since: '6.13',
    commit: '675c3596ff32',
    doctor: 'vpid-lookup',
  },
];

/**
 * The compiled programs in assets/, by the first kernel that must take each.
 * @type {Record<string, string>}
 */
export const programs = {
  'fdmap-self': '6.1',
  'fdmap-iter': '6.1',
  'pidmap-iter': '6.1',
  'fdmap-self-wide': '6.1',
  'fdmap-special': '6.1',
  'lsm-words': '6.1',
  'pidinfo-iter': '6.1',
  'pidinfo-basic': '6.1',
  fdinfo: '6.1',
  'fdinfo-places': '6.1',
  'fdinfo-search': '6.1',
  'text-fds': '6.1',
  'text-ps': '6.1',
  fdmap: '6.10',
  'fdmap-wide': '6.10',
  pidinfo: '6.10',
  'pidinfo-wide': '6.10',
  'pidinfo-counts': '6.10',
  pidmap: '6.10',
  'pidmap-wide': '6.10',
};

/**
 * @param {string} version
 * @param {string | undefined} since
 * @param {boolean} works
 * @returns {'ok' | 'no' | 'missing' | 'early' | 'unstated'}
 */
export function verdict(version, since, works) {
  if (since === undefined) return 'unstated';
  const should = compareVersions(version, since) >= 0;
  if (works) return should ? 'ok' : 'early';
  return should ? 'missing' : 'no';
}
