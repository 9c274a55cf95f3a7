/** A file system that never answers: worlds/dead-fuse.py. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './scale.ts';

export interface DeadFuse {
  readonly directory: string;
  /** The one file that there is; reading it never ends. */
  readonly file: string;
  /** From now on nothing is answered, stat(2) neither. */
  die(): Promise<void>;
  /**
   * Before its time: whatever waits for an answer gets an error. To be called before the end of a process
   * that has the file open, because closing it is a question, too.
   */
  end(): Promise<void>;
}

/** Needs root and /dev/fuse. Ended with the test, and with it whatever waits for an answer. */
export async function deadFuse(): Promise<DeadFuse> {
  const directory = mkdtempSync(join(tmpdir(), 'fdmap-fuse-'));
  const script = join(import.meta.dirname, 'worlds/dead-fuse.py');
  const server = spawn('python3', [script, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  let output = '';
  server.stdout.on('data', (text) => {
    output += text;
  });
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= (async () => {
      server.stdin.end();
      await ended;
      server.stdout.destroy();
      rmdirSync(directory);
    })();
    return ending;
  };
  onTestFinished(end);
  await until('the file system is mounted', () => output.includes('ready\n') || server.exitCode !== null);
  if (server.exitCode !== null) throw new Error('dead-fuse.py has ended');
  return {
    directory,
    file: join(directory, 'file'),
    die: async () => {
      server.stdin.write('die\n');
      await until('it answers no more', () => output.includes('dead\n'));
    },
    end,
  };
}
