// Prints which of the kernel features in features.mjs this kernel has, as one JSON object.
import { instruction, kernelFunctions, loadsAsSyscall } from './bpf.mjs';

const functions = kernelFunctions();

/** @type {Record<string, boolean>} */
const found = {};

for (const name of [
  'bpf_iter_task',
  'bpf_core_apply',
  'bpf_iter_attach_task',
  'bpf_task_from_pid',
  'bpf_rcu_read_lock',
  'bpf_rdonly_cast',
  'bpf_iter_task_new',
  'bpf_preempt_disable',
  'bpf_task_from_vpid',
])
  found[name] = functions.has(name);

const zero = instruction(0xb7, 0);
const exit = instruction(0x95);
found['syscall-program'] = loadsAsSyscall([zero, exit]);

// Creates a CPU mask and releases it: two functions that are older than the permission to call them.
/** @param {string} name */
const call = (name) => instruction(0x85, 2 << 4, 0, functions.get(name) ?? 0);
found['syscall-kfuncs'] = loadsAsSyscall([
  call('bpf_cpumask_create'),
  instruction(0x15, 0, 2),
  instruction(0xbf, 0x01),
  call('bpf_cpumask_release'),
  zero,
  exit,
]);

console.log(JSON.stringify(found));
