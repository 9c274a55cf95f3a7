/** What an ordinary user reads from the streams holds no byte of what a forbidden process has open. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';

needs('pinned', 'root', 'other-uid').describe('markers', () => {
  it('of path, socket name and working directory reach root and nobody else', async () => {
    const marker = `MARKER-${process.pid}-x`;
    const directory = join(openDirectory(), marker);
    mkdirSync(directory);
    writeFileSync(join(directory, `${marker}-file`), '');
    const script = `const { openSync } = require('node:fs');
      openSync('${marker}-file', 'r');
      require('node:net').createServer().listen('${marker}-socket', () => console.log('ready'));`;
    const child = spawn(process.execPath, ['-e', script], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const version = realpathSync(`${process.env.FDMAP_TEST_BPFFS}/current`);
      const streams = readdirSync(version).filter((name) => /^(.*_stream|fds|ps)$/.test(name));
      expect(streams.length).toBeGreaterThan(2);
      expect(streams).toEqual(expect.arrayContaining(['fds', 'ps']));
      const read = (name: string, user: { uid?: number; gid?: number }) =>
        spawnSync('cat', [join(version, name)], { maxBuffer: 1 << 28, ...user }).stdout;
      let seen = 0;
      for (const name of streams) {
        const bytes = read(name, { uid: 61_234, gid: 61_234 });
        expect([name, bytes.length > 0]).toEqual([name, true]);
        expect([name, bytes.includes(marker)]).toEqual([name, false]);
        if (read(name, {}).includes(marker)) seen++;
      }
      // The descriptors' streams and that of working directories, at least: else nothing was shown.
      expect(seen).toBeGreaterThanOrEqual(3);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
