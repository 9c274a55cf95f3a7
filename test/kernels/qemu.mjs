import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from './exec.mjs';
import { cacheDir } from './paths.mjs';

/**
 * @typedef {object} Machine
 * @property {string} architecture amd64 or arm64
 * @property {string} vmlinuz
 * @property {string} initramfs
 * @property {string[]} [cmdline] added to the kernel's command line
 * @property {number} memory MiB
 * @property {number} limit seconds
 * @property {string} accel what follows -accel
 * @property {string} name for the files of this boot
 */

/**
 * @typedef {object} Boot
 * @property {string} console what the kernel and the programs printed
 * @property {Record<string, any>[]} events what the job reported
 * @property {string[]} trouble why this boot does not count as a good one
 * @property {number} seconds
 * @property {number} rss MiB that the emulator took at most
 * @property {number} cpu seconds of processors that it took
 * @property {string} log the file with the console
 */

/**
 * Emulation must be single-threaded: multi-threaded emulation in QEMU 7.2 corrupts the flags around
 * cmpxchg16b, which kernels use in their allocator, and a guest then dies at random.
 */
export const emulation = 'tcg,thread=single';

/** @type {Record<string, {program: string, machine: string, cpu: string, console: string, results: string}>} */
const architectures = {
  amd64: {
    program: 'qemu-system-x86_64',
    machine: 'pc',
    // The model must have cmpxchg16b: task storage on 7.x does not work without.
    cpu: 'max',
    console: 'ttyS0',
    results: '/dev/ttyS1',
  },
  arm64: {
    program: 'qemu-system-aarch64',
    machine: 'virt',
    // Pointer authentication as the architecture defines it is most of the time when emulated.
    cpu: 'max,pauth-impdef=on',
    console: 'ttyAMA0',
    // This machine has one serial port only.
    results: '/dev/console',
  },
};

/** @param {string} architecture @returns {string} the guest's device for result lines */
export function resultDevice(architecture) {
  return architectures[architecture].results;
}

/** Lines of a kernel in trouble. Each fails the boot, whatever the tests said. */
const kernelTrouble =
  /^(?:\[[ \d.]+\] |<\d>)?.*(?:\bBUG: |\bWARNING: (?:CPU|possible|suspicious|bad unlock|\S+:\d+)|\bOops\b|Kernel panic|general protection fault|verifier bug|REG INVARIANTS VIOLATION|rcu: INFO: rcu_\w+ (?:self-)?detected|unable to handle|Out of memory: Killed|double fault|soft lockup)/;

/**
 * @param {string} text of a console
 * @returns {string[]}
 */
export function findKernelTrouble(text) {
  return text.split(/\r?\n/).filter((line) => kernelTrouble.test(line));
}

/**
 * @param {string} text
 * @returns {Record<string, any>[]}
 */
export function parseEvents(text) {
  const events = [];
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('@fdmap {');
    if (at < 0) continue;
    try {
      events.push(JSON.parse(line.slice(at + 7)));
    } catch {
      events.push({ type: 'garbled', line });
    }
  }
  return events;
}

/**
 * What a process took so far: MiB at its peak, and seconds of processors, which tell more than the
 * clock when other work runs beside.
 * @param {number} pid
 * @param {{rss: number, cpu: number}} usage brought up to date, unless the process is gone
 */
function sampleUsage(pid, usage) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // A process on its way out has no memory any more.
    usage.rss = Math.max(usage.rss, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) >> 10);
    // utime and stime, in ticks of 10 ms; fields are counted from behind the name.
    const [utime, stime] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    usage.cpu = (Number(utime) + Number(stime)) / 100;
  } catch {
    // It has ended: the last sample stands.
  }
}

/**
 * Boots a machine and waits until it has switched itself off.
 * @param {Machine} machine
 * @returns {Promise<Boot>}
 */
export function boot(machine) {
  const architecture = architectures[machine.architecture];
  const log = join(cacheDir('boots'), `${machine.name}.log`);
  const results = join(cacheDir('boots'), `${machine.name}.results`);
  rmSync(results, { force: true });
  const cmdline = [
    `console=${architecture.console}`,
    // Warnings go to the console, chatter does not: each character is paid for.
    'loglevel=5',
    'panic=-1',
    ...(machine.cmdline ?? []),
  ];
  const args = [
    ...['-machine', architecture.machine, '-cpu', machine.accel === 'kvm' ? 'host' : architecture.cpu],
    ...['-accel', machine.accel, '-smp', '2', '-m', String(machine.memory)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', machine.vmlinuz, '-initrd', machine.initramfs, '-append', cmdline.join(' ')],
    ...['-serial', 'stdio'],
    ...(architecture.results === '/dev/console' ? [] : ['-serial', `file:${results}`]),
  ];
  const output = openSync(log, 'w');
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(architecture.program, args, { stdio: ['ignore', output, output] });
    closeSync(output);
    const usage = { rss: 0, cpu: 0 };
    let timedOut = false;
    const sampler = setInterval(() => {
      sampleUsage(child.pid ?? 0, usage);
    }, 500);
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, machine.limit * 1000);
    const stop = () => {
      clearInterval(sampler);
      clearTimeout(timer);
      process.off('exit', kill);
    };
    const kill = () => child.kill('SIGKILL');
    process.on('exit', kill);
    child.on('error', (error) => {
      stop();
      reject(
        /** @type {any} */ (error).code === 'ENOENT'
          ? new Unavailable(
              `${architecture.program}: no such program; see docs/kernels.md for the packages needed`,
            )
          : error,
      );
    });
    child.on('exit', (code, signal) => {
      stop();
      const text = readFileSync(log, 'utf8');
      const events = parseEvents(existsSync(results) ? readFileSync(results, 'utf8') : text);
      const trouble = findKernelTrouble(text);
      if (timedOut) trouble.push(`not finished after ${machine.limit} s`);
      else if (code !== 0) trouble.push(`${architecture.program} ended with ${signal ?? code}`);
      if (!events.some(({ type }) => type === 'end')) trouble.push('the job did not come to its end');
      for (const { line } of events.filter(({ type }) => type === 'garbled'))
        trouble.push(`garbled: ${line}`);
      resolve({ console: text, events, trouble, seconds: (Date.now() - started) / 1000, ...usage, log });
    });
  });
}
