/**
 * What an ordinary user reads from the streams, and what the programs answer him with, holds no byte
 * of what a forbidden process has open.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Hidepid, install, uninstall } from '../../src/calls/install.ts';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { patience } from '../helpers/scale.ts';

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

const ROOT: User = {};
const STRANGER: User = { uid: 61_234, gid: 61_234 };

/** The names of what is pinned below a directory of calls: streams, and programs that answer a call. */
function pinned(bpffs: string): { version: string; streams: string[]; programs: string[] } {
  const version = realpathSync(`${bpffs}/current`);
  const names = readdirSync(version);
  const streams = names.filter((name) => /^(.*_stream|fds|ps)$/.test(name));
  expect(streams).toEqual(
    expect.arrayContaining([
      'fds',
      'ps',
      'fdinfo_files_stream',
      'pidmap_tasks_stream',
      'pidinfo_task_stream',
    ]),
  );
  const iterators = [...streams.map((name) => name.replace(/_stream$/, '')), 'text_fds', 'text_ps'];
  const programs = names.filter((name) => ![...streams, ...iterators, 'manifest'].includes(name));
  return { version, streams, programs };
}

/** Names of the streams in which `cat` shows `marker`. Each is read to its end. */
function streamsWith(marker: string, bpffs: string, user: User): string[] {
  const { version, streams } = pinned(bpffs);
  return streams.filter((name) => {
    const { status, signal, stdout, stderr, error } = spawnSync('cat', [join(version, name)], {
      maxBuffer: 1 << 28,
      ...user,
    });
    const end = { status, signal, error, stderr: stderr?.toString() };
    expect([name, end]).toEqual([name, { status: 0, signal: null, error: undefined, stderr: '' }]);
    expect([name, stdout.length > 0]).toEqual([name, true]);
    return stdout.includes(marker);
  });
}

/** Names of the programs that answer a question about `pid` with `marker` anywhere in their context. */
function programsWith(marker: string, pid: number, bpffs: string, user: User, forge: string): string[] {
  const { status, stdout, stderr } = spawnSync(forge, ['search', marker, String(pid)], {
    encoding: 'utf8',
    env: { FDMAP_BPFFS: bpffs },
    ...user,
  });
  expect([status, stderr]).toEqual([0, '']);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  // A program that is pinned and not asked would be one that nobody has looked into.
  expect(answers.map(([name]) => name).sort()).toEqual(pinned(bpffs).programs.sort());
  return answers.filter(([, told]) => told === '1').map(([name]) => name!);
}

const firstLine = (child: ChildProcess) =>
  new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve);
    child.once('exit', (code, signal) => reject(new Error(`ended with ${signal ?? code}`)));
  });

needs('gcc', 'pinned', 'root', 'other-uid').describe('markers', () => {
  const tools = openDirectory();

  it('of path, socket name and working directory reach root and nobody else', {
    timeout: patience(60_000),
  }, async () => {
    const forge = compile('test/c/forge.c', tools);
    const bpffs = process.env.FDMAP_TEST_BPFFS!;
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
      await firstLine(child);
      // Root first: what is left of his answers would be found in those of the next.
      const seen = streamsWith(marker, bpffs, ROOT);
      expect(seen).toEqual(expect.arrayContaining(['fds', 'fdinfo_files_stream', 'fdinfo_places_stream']));
      expect(streamsWith(marker, bpffs, STRANGER)).toEqual([]);
      expect(programsWith(marker, child.pid!, bpffs, ROOT, forge)).toEqual([]);
      expect(programsWith(marker, child.pid!, bpffs, STRANGER, forge)).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('of the program reach root alone, of its command nobody from hidepid 1 on', {
    timeout: patience(120_000),
  }, async () => {
    const forge = compile('test/c/forge.c', tools);
    const parent = openDirectory();
    const directory = join(parent, `MARKER-${process.pid}-exe`);
    // At most 15 bytes: comm holds no more.
    const command = `cmd${process.pid}z`;
    mkdirSync(directory);
    copyFileSync(compile('test/c/actor.c', parent), join(directory, command));
    const child = spawn(join(directory, command), ['wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const at = join(parent, 'fdmap');
    try {
      await firstLine(child);
      for (const hidepid of [0, 1, 2, 4] as Hidepid[]) {
        const { selfOnly, reason } = await install({ at, hidepid, exemptGid: 4_321, text: true });
        expect({ selfOnly, reason }).toEqual({ selfOnly: false, reason: '' });
        const answering = pinned(at).programs.filter((name) => /^pidinfo_(small|wide)$/.test(name));
        expect(streamsWith(directory, at, ROOT)).toContain('fdinfo_places_stream');
        expect([hidepid, streamsWith(directory, at, STRANGER)]).toEqual([hidepid, []]);
        expect(programsWith(command, child.pid!, at, ROOT, forge)).toEqual(answering);
        // What /proc/PID/stat tells everybody, and the positive control of what follows.
        const told = streamsWith(command, at, STRANGER);
        const answered = programsWith(command, child.pid!, at, STRANGER, forge);
        if (hidepid === 0) {
          expect(told).toEqual(expect.arrayContaining(['ps', 'pidinfo_task_stream']));
          expect(answered).toEqual(answering);
        } else expect([hidepid, told, answered]).toEqual([hidepid, [], []]);
      }
    } finally {
      child.kill('SIGKILL');
      await uninstall({ at });
    }
  });
});
