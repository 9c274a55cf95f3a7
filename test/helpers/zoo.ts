/** One known descriptor of every kind, in a child process: worlds/zoo.py. */

import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the zoo says that it made. */
export interface Animal {
  readonly fd: number;
  readonly missing?: string;
  readonly [fact: string]: unknown;
}

export interface Zoo {
  readonly pid: number;
  readonly directory: string;
  readonly animals: Readonly<Record<string, Animal>>;
  end(): Promise<void>;
}

export async function openZoo(): Promise<Zoo> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fdmap-zoo-')));
  const script = join(import.meta.dirname, 'worlds/zoo.py');
  const child = spawn('python3', [script, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (piece) => {
      text += piece;
      if (text.endsWith('\n')) resolve(text);
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the zoo ended with ${code}`)));
  });
  return {
    pid: child.pid as number,
    directory,
    animals: JSON.parse(line),
    end: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit');
        child.on('exit', () => {
          rmSync(directory, { recursive: true });
          resolve();
        });
        child.kill('SIGKILL');
      }),
  };
}
