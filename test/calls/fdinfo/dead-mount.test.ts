/** A file on a mount whose server does not answer: listed, and nobody waits for it. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { MAIN } from '../../cli/helpers.ts';
import { BACKENDS } from '../../helpers/backends.ts';
import { deadFuse } from '../../helpers/dead-fuse.ts';
import { needs } from '../../helpers/needs.ts';
import { sleeper } from '../../helpers/processes.ts';
import { patience } from '../../helpers/scale.ts';

/** Another process: if it hangs, this one tells, and ends the file system, which ends it. */
function fdmap(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (piece) => {
    output += piece;
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      reject(new Error(`fdmap ${args.join(' ')} hangs`));
    }, patience(20_000));
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else reject(new Error(`fdmap ${args.join(' ')} ended with ${code}`));
    });
  });
}

interface Found {
  readonly pid: number;
  readonly fd: number;
}

for (const { name, proc } of BACKENDS.filter((each) => each.name === 'kernel' || each.name === 'proc')) {
  needs(name as 'kernel' | 'proc', 'root', 'python3', 'fuse').test(
    `a dead mount hangs nobody [${name}]`,
    async () => {
      const fuse = await deadFuse();
      try {
        const { pid } = await sleeper(`5<'${fuse.file}'`);
        await fuse.die();
        const mountId = /^mnt_id:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/5`, 'latin1'))?.[1];
        for (const which of [[`${pid}`], []]) {
          const rows = JSON.parse(await fdmap('ls', ...which, '--json', '--backend', name)) as Found[];
          const row = rows.find((each) => each.pid === pid && each.fd === 5);
          expect(row).toMatchObject({
            path: fuse.file,
            access: 'r',
            pos: 0,
            type: proc ? 'unknown' : 'file',
            mountId: Number(mountId),
          });
          // What stat(2) alone tells is absent where it was not asked.
          for (const member of ['size', 'mode', 'nlink', 'uid']) expect(member in row!, member).toBe(!proc);
        }
      } finally {
        // Before the process that has the file: its end waits for an answer to FUSE_FLUSH, deaf to signals.
        await fuse.end();
      }
    },
  );
}
