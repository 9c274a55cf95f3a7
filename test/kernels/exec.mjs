import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** A condition that the reader of the message can do something about: printed without a stack. */
export class Unavailable extends Error {}

/**
 * Runs a program to its end and gives what it wrote.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').ExecFileOptions} [options]
 * @returns {Promise<string>}
 */
export async function run(command, args, options = {}) {
  try {
    const { stdout } = await execFileAsync(command, args, {
      maxBuffer: 1 << 28,
      ...options,
      env: { ...process.env, LC_ALL: 'C', ...options.env },
    });
    return String(stdout);
  } catch (error) {
    if (error.code === 'ENOENT' && error.syscall?.startsWith('spawn')) {
      throw new Unavailable(`${command}: no such program; see docs/kernels.md for the packages needed`);
    }
    const said = String(error.stderr ?? '').trim() || error.message;
    throw new Error(`${[command, ...args].join(' ').slice(0, 300)}\n${said.slice(-2000)}`);
  }
}

/**
 * The first of these programs that runs on this machine.
 * @param {string} command
 * @returns {Promise<boolean>}
 */
export async function exists(command) {
  try {
    await execFileAsync('sh', ['-c', 'command -v "$1"', 'sh', command]);
    return true;
  } catch {
    return false;
  }
}
