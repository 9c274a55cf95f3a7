/** The built command as a child process. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Need } from '../helpers/needs.ts';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that execs the rest of its arguments. */
  readonly wrap?: readonly string[];
}

const environment = (env: RunOptions['env']) => ({
  ...process.env,
  FDMAP_BACKEND: '',
  NODE_OPTIONS: '',
  ...env,
});

/** `fdmap args…`, to its end. */
export function fdmap(args: readonly string[], { wrap = [], env, ...user }: RunOptions = {}): Outcome {
  const [command, ...rest] = [...wrap, process.execPath, MAIN, ...args];
  const { status, signal, stdout, stderr, error } = spawnSync(command!, rest, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: environment(env),
    ...user,
  });
  if (error) throw error;
  return { status, signal, stdout, stderr };
}

/** `sh -c script`, where $FDMAP is the command. */
export function shell(script: string): Outcome {
  const { status, signal, stdout, stderr, error } = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: environment({ FDMAP: `${process.execPath} ${MAIN}` }),
  });
  if (error) throw error;
  return { status, signal, stdout, stderr };
}

/** What a terminal of `columns` shows, by script(1). */
export function onTerminal(args: readonly string[], columns: number): string {
  const command = `stty cols ${columns}; exec ${[process.execPath, MAIN, ...args].join(' ')}`;
  const { stdout, error } = spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    env: environment({ TERM: 'xterm' }),
  });
  if (error) throw error;
  return stdout.replaceAll('\r\n', '\n');
}

export const BACKENDS: readonly { readonly name: string; readonly needs: readonly Need[] }[] = [
  { name: 'kernel', needs: ['kernel'] },
  { name: 'proc', needs: ['proc'] },
];

export const numbersOf = (text: string): number[] => text.split('\n').filter(Boolean).map(Number);

/** One line on stderr and nothing else that could be taken for data or for a crash. */
export function expectComplaint({ status, stdout, stderr }: Outcome, code: number): void {
  expect(stderr).toMatch(/^fdmap: [^\n]+\n$/);
  expect(stderr).not.toContain('internal error');
  expect(stdout).toBe('');
  expect(status).toBe(code);
}
