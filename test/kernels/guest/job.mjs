// Runs in the guest: the steps of one job, each a program with a time limit, and a line of JSON about
// each on the result console. It needs nothing but Node: /proc may be missing.
import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { freemem, release, totalmem, uptime } from 'node:os';

/**
 * @typedef {{name: string, argv: string[], env?: Record<string, string>, limit: number}} Step
 */

const [jobFile, results] = process.argv.slice(2);
/** @type {{steps: Step[], env: Record<string, string>}} */
const job = JSON.parse(readFileSync(jobFile, 'utf8'));
const out = openSync(results, 'w');

/** @param {Record<string, unknown>} event */
function report(event) {
  writeSync(out, `@fdmap ${JSON.stringify(event)}\n`);
}

/** @param {number} bytes */
const mebibytes = (bytes) => Math.floor(bytes / 2 ** 20);

/** @param {string} path @returns {string} what is in it, empty when it cannot be read */
function read(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** @param {Step} step */
function runStep(step) {
  return new Promise((resolve) => {
    const started = process.hrtime.bigint();
    const child = spawn(step.argv[0], step.argv.slice(1), {
      env: { ...process.env, ...job.env, ...step.env, FDMAP_STEP: step.name, FDMAP_RESULTS: results },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let tail = '';
    let timedOut = false;
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      tail = (tail + chunk).slice(-6000);
      process.stdout.write(chunk);
    });
    child.stderr.on('data', (chunk) => {
      tail = (tail + chunk).slice(-6000);
      process.stdout.write(chunk);
    });
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, step.limit * 1000);
    /** @type {(code: number | string | null, signal: string | null) => void} */
    const finish = (code, signal) => {
      clearTimeout(timer);
      const seconds = Number((process.hrtime.bigint() - started) / 10_000_000n) / 100;
      resolve({ code, signal, timedOut, seconds, stdout, tail, free: mebibytes(freemem()) });
    };
    child.on('error', (error) => finish(error.message, null));
    child.on('close', finish);
  });
}

report({
  type: 'guest',
  release: release(),
  node: process.version,
  memory: mebibytes(totalmem()),
  uptime: uptime(),
  // What the boot was asked for, as the kernel says that it is.
  lsm: read('/sys/kernel/security/lsm'),
  lockdown: read('/sys/kernel/security/lockdown'),
  preempt: read('/sys/kernel/debug/sched/preempt'),
  proc: /^proc \/proc proc (\S+)/m.exec(read('/proc/self/mounts'))?.[1] ?? 'none',
});
for (const step of job.steps) {
  const { stdout, tail, ...end } = await runStep(step);
  const good = end.code === 0;
  report({ type: 'step', name: step.name, ...end, stdout: stdout.slice(0, 200_000), tail: good ? '' : tail });
}
report({ type: 'end', uptime: uptime() });
