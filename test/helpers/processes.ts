/** Processes that are not Node: as small as can be, with nothing open but what they are given. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { until } from './scale.ts';

export interface Small {
  readonly pid: number;
  /** What it has written so far. */
  output(): string;
  end(): Promise<void>;
}

/** dash takes one digit for a redirection's number, and more for a word of the command. */
const SHELL = ['/bin/bash', '/usr/bin/bash'].some((path) => existsSync(path)) ? 'bash' : 'sh';

/** `sh -c script`; ended with the test that it was started in. */
export function shell(script: string, options: { uid?: number; gid?: number } = {}): Small {
  const child: ChildProcess = spawn(SHELL, ['-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  let output = '';
  child.stdout?.on('data', (text) => {
    output += text;
  });
  const closed = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => {
      child.stdout?.destroy();
      resolve();
    });
  });
  const end = async () => {
    child.kill('SIGKILL');
    await closed;
  };
  onTestFinished(end);
  return { pid: child.pid!, output: () => output, end };
}

/** A `sleep` with exactly these shell redirections made before it, ready. */
export async function sleeper(
  redirections = '',
  options: { uid?: number; gid?: number } = {},
): Promise<Small> {
  const small = shell(`exec sleep 1000 ${redirections}`, options);
  // Asleep: the dynamic linker has closed what it had opened.
  await until('sleep runs', () => commandOf(small.pid) === 'sleep' && stateOf(small.pid) === 'S');
  const open = new Set(readdirSync(`/proc/${small.pid}/fd`));
  for (const [, fd] of redirections.matchAll(/(\d+)[<>]+(?!&-)/g)) {
    if (!open.has(fd!)) throw new Error(`${SHELL} has not opened ${fd}`);
  }
  return small;
}

/** A process that has exited and that nobody has waited for, and its parent. */
export async function zombie(): Promise<{ parent: Small; pid: number }> {
  const parent = shell('sleep 1000 & echo $!; exec sleep 1000');
  const pid = Number(await until('the pid of the child', () => /^\d+(?=\n)/.exec(parent.output())?.[0]));
  // A shell would wait for it; what it has become does not.
  await until('the shell is no shell any more', () => commandOf(parent.pid) === 'sleep');
  process.kill(pid, 'SIGKILL');
  await until('it is a zombie', () => stateOf(pid) === 'Z');
  return { parent, pid };
}

const stat = (pid: number | string) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};
export const stateOf = (pid: number): string => stat(pid)[0]!;
/** PF_KTHREAD in the field `flags`; false where it is not to be seen. */
export const isKernelThread = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && (Number(stat(pid)[6]) & 0x20_0000) !== 0;
export const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'latin1').trim();

const ascending = (names: readonly string[]) => names.map(Number).sort((a, b) => a - b);

/** Descriptors as /proc lists them: independent of the code under test. */
export const listedDescriptors = (pid: number | string): number[] =>
  ascending(readdirSync(`/proc/${pid}/fd`));

export const listedThreads = (pid: number): number[] => ascending(readdirSync(`/proc/${pid}/task`));
