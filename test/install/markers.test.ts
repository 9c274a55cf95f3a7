/** What an ordinary user reads from the streams holds no byte of what a forbidden process has open. */

import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Hidepid, install, uninstall } from '../../src/calls/install.ts';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { patience } from '../helpers/scale.ts';

const STRANGER = { uid: 61_234, gid: 61_234 };

/** What `cat` shows of every stream below a directory of calls, by its name. */
function streamsOf(bpffs: string, user: { uid?: number; gid?: number }): Map<string, Buffer> {
  const version = realpathSync(`${bpffs}/current`);
  const names = readdirSync(version).filter((name) => /^(.*_stream|fds|ps)$/.test(name));
  expect(names).toEqual(expect.arrayContaining(['fds', 'ps', 'pidmap_tasks_stream', 'pidinfo_task_stream']));
  const read = (name: string) => spawnSync('cat', [join(version, name)], { maxBuffer: 1 << 28, ...user });
  return new Map(names.map((name) => [name, read(name).stdout]));
}

needs('gcc', 'pinned', 'root', 'other-uid').describe('markers', () => {
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

  it('of the program reach root alone, of its command nobody from hidepid 1 on', {
    timeout: patience(120_000),
  }, async () => {
    const parent = openDirectory();
    const directory = join(parent, `MARKER-${process.pid}-exe`);
    // At most 15 bytes: comm holds no more.
    const command = `cmd${process.pid}z`;
    mkdirSync(directory);
    copyFileSync(compile('test/c/actor.c', parent), join(directory, command));
    const child = spawn(join(directory, command), ['wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const at = join(parent, 'fdmap');
    const having = (streams: Map<string, Buffer>, marker: string) =>
      [...streams].filter(([, bytes]) => bytes.includes(marker)).map(([name]) => name);
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      for (const hidepid of [0, 1, 2, 4] as Hidepid[]) {
        await install({ at, hidepid, exemptGid: 4_321, text: true });
        expect(having(streamsOf(at, {}), directory)).toContain('fdinfo_places_stream');
        const strangers = streamsOf(at, STRANGER);
        expect([hidepid, having(strangers, directory)]).toEqual([hidepid, []]);
        // What /proc/PID/stat tells everybody, and the positive control of what follows.
        const told = having(strangers, command);
        if (hidepid === 0) expect(told).toEqual(expect.arrayContaining(['ps', 'pidinfo_task_stream']));
        else expect([hidepid, told]).toEqual([hidepid, []]);
      }
    } finally {
      child.kill('SIGKILL');
      await uninstall({ at });
    }
  });
});
