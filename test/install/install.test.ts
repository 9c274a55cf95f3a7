/** fdmap install and uninstall: what they make, keep and leave. */

import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPinned } from '../../src/backends/pinned/backend.ts';
import type { Manifest } from '../../src/backends/pinned/manifest.ts';
import { pinVersion } from '../../src/backends/pinned/pins.ts';
import { withPlace } from '../../src/backends/pinned/place.ts';
import { parseProcPolicy } from '../../src/backends/pinned/policy.ts';
import { type InstallOptions, install, installed, uninstall } from '../../src/calls/install.ts';
import { open } from '../../src/calls/open.ts';
import { FDMAP_SELF } from '../../src/loader/objects.gen.ts';
import { loadObject, unload } from '../../src/loader/skeleton.ts';

import type { Door } from '../../src/sys/door.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { mount, unmount } from '../../src/sys/mounts.ts';
import { BPF_OBJ_PIN } from '../../src/sys/uapi.gen.ts';
import { openDirectory } from '../helpers/compile.ts';
import { lack, needs } from '../helpers/needs.ts';
import { patience, scaled } from '../helpers/scale.ts';

const { ENOSPC } = constants.errno;
const door = nativeDoor as Door;
const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const parent = openDirectory();
const at = join(parent, 'fdmap');

const tierA = lack('tier-a') === undefined;
const isMounted = (directory: string) =>
  readFileSync('/proc/self/mounts', 'latin1')
    .split('\n')
    .some((line) => line.split(' ')[1] === directory);
const listing = () => readdirSync(at).filter((name) => !name.includes('.'));
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Options of proc's mount. */
it.each([
  ['rw,relatime', 0, 0],
  ['rw,nosuid,hidepid=invisible,gid=27', 2, 27],
  ['rw,hidepid=2', 2, 0],
  ['rw,hidepid=noaccess', 1, 0],
  ['rw,gid=5,hidepid=ptraceable', 4, 5],
  ['rw,hidepid=something-newer', 4, 0],
])('hidepid of %s', (options, hidepid, exemptGid) => {
  expect(parseProcPolicy(options)).toEqual({ hidepid, exemptGid });
});

needs('user').test('an ordinary user is told so at once', async () => {
  await expect(install({ at })).rejects.toMatchObject({ code: 'EPERM', syscall: 'install', path: at });
  await expect(uninstall({ at })).rejects.toMatchObject({ code: 'EPERM', syscall: 'uninstall' });
});

needs('root', 'kernel', 'proc').describe('install', () => {
  beforeEach(() => {
    expect(existsSync(at)).toBe(false);
  });
  afterEach(async () => {
    if (existsSync(at)) await uninstall({ at });
    expect(existsSync(at)).toBe(false);
    expect(isMounted(at)).toBe(false);
  });

  const openHere = (backend: 'pinned' | 'auto' = 'pinned') => {
    process.env.FDMAP_BPFFS = at;
    try {
      return open({ backend });
    } finally {
      process.env.FDMAP_BPFFS = '';
    }
  };

  it('mounts, pins with modes that everybody may use, and says what it did', async () => {
    const report = await install({ at, hidepid: 2, exemptGid: 5 });
    expect(report).toMatchObject({
      directory: at,
      changed: true,
      hidepid: 2,
      exemptGid: 5,
      abi: 1,
    });
    // What a kernel before 6.10 cannot take is named, each with its reason; nothing else is left out.
    const newer = [
      'fdmap',
      'fdmap-wide',
      'pidinfo',
      'pidinfo-counts',
      'pidinfo-wide',
      'pidmap',
      'pidmap-wide',
    ];
    expect(report.skipped.map(({ object }) => object).sort()).toEqual(tierA ? [] : newer);
    expect(report.skipped.every(({ reason }) => reason.length > 0)).toBe(true);
    expect(isMounted(at)).toBe(true);
    expect(modeOf(at)).toBe('755');
    expect(join(at, readlinkSync(join(at, 'current')))).toBe(report.path);
    expect(listing().length).toBe(2);
    for (const name of readdirSync(report.path))
      expect([name, modeOf(join(report.path, name))]).toEqual([name, '444']);
    expect(readdirSync(report.path)).toEqual(
      expect.arrayContaining([
        'manifest',
        'fdmap_self_small',
        ...(tierA ? ['fdmap_small', 'pidmap_wide'] : []),
        'pidmap_tasks',
        'pidmap_tasks_stream',
      ]),
    );
    expect(installed({ at })).toMatchObject({ version: report.version, build: report.build, hidepid: 2 });
  });

  it('does nothing the second time', async () => {
    const { path } = await install({ at });
    const { ino } = statSync(join(path, 'manifest'));
    expect(await install({ at })).toMatchObject({ changed: false, path });
    expect(statSync(join(path, 'manifest')).ino).toBe(ino);
  });

  it('puts another policy in the place of the old one, under open handles', async () => {
    const before = await install({ at });
    const handle = openHere();
    const after = await install({ at, hidepid: 4 });
    expect(after.changed).toBe(true);
    expect(listing().sort()).toEqual([after.path.slice(at.length + 1), 'current'].sort());
    expect(existsSync(before.path)).toBe(false);
    expect(handle.fdmap(process.pid).length).toBeGreaterThan(3);
    handle.close();
  });

  it('repairs pins that somebody removed', async () => {
    const { path } = await install({ at });
    unlinkSync(join(path, 'fdmap_self_small'));
    const again = await install({ at });
    expect(again.changed).toBe(true);
    expect(existsSync(join(again.path, 'fdmap_self_small'))).toBe(true);
    openHere().close();
  });

  it('serves one group alone', async () => {
    const { path } = await install({ at, group: 65_534 });
    expect(modeOf(join(path, 'fdmap_self_small'))).toBe('440');
    expect(statSync(join(path, 'fdmap_self_small')).gid).toBe(65_534);
    expect(modeOf(join(path, 'manifest'))).toBe('444');
    const why = (gid: number) =>
      as(
        gid,
        "try { console.log(f.open({ backend: 'pinned' }).backend) } catch (e) { console.log(e.message) }",
      );
    expect(why(65_534)).toBe('pinned\n');
    expect(why(1_234)).toMatch(/installed for one group alone/);
  });

  it('answers an ordinary user, and refuses him others', async () => {
    await install({ at });
    const script = `const h = f.open();
      const kinds = [h.backend, h.fdmap(process.pid).length > 3, h.pidmap().includes(process.pid)];
      try { h.fdmap(${process.pid}) } catch (e) { kinds.push(e.code) }
      console.log(JSON.stringify(kinds))`;
    expect(JSON.parse(as(1_234, script))).toEqual(['pinned', true, true, 'EACCES']);
  });

  function as(id: number, script: string): string {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `const f = await import(${JSON.stringify(dist)}); ${script}`],
      { encoding: 'utf8', uid: 1_234, gid: id, env: { FDMAP_BPFFS: at } },
    );
    expect(stderr).toBe('');
    return stdout;
  }

  it('keeps a directory that was there before', async () => {
    mkdirSync(at);
    await install({ at });
    expect((await uninstall({ at })).unmounted).toBe(true);
    expect(existsSync(at)).toBe(true);
    expect(isMounted(at)).toBe(false);
    rmdirSync(at);
  });

  it('uses a bpffs that is mounted already, and leaves it mounted', async () => {
    mkdirSync(at);
    expect(mount(door, 'other', at, 'bpf', 0, 'mode=0755')).toBe(0);
    try {
      await install({ at });
      expect(readFileSync('/proc/self/mounts', 'latin1').split(`${at} bpf`).length).toBe(2);
      mkdirSync(join(at, 'of_others'));
      const { unmounted, removed } = await uninstall({ at });
      expect(unmounted).toBe(false);
      expect(removed.length).toBe(2);
      expect(listing()).toEqual(['of_others']);
    } finally {
      unmount(door, at, 0);
      rmdirSync(at);
    }
  });

  it('goes lazily where somebody is still in there', async () => {
    await install({ at });
    const child = spawn('sleep', ['1000'], { cwd: at, stdio: 'ignore' });
    await new Promise((resolve) => child.once('spawn', resolve));
    expect((await uninstall({ at })).unmounted).toBe(true);
    expect(isMounted(at)).toBe(false);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  });

  it('says that nothing is installed', async () => {
    await expect(uninstall({ at })).rejects.toMatchObject({ code: 'ERR_FDMAP_NOT_INSTALLED' });
    expect(() => installed({ at })).toThrow(expect.objectContaining({ code: 'ERR_FDMAP_NOT_INSTALLED' }));
    expect(() => openHere()).toThrow(/not installed/);
    const auto = openHere('auto');
    expect(auto.why).toMatch(/^kernel: .*; not pinned: .*not installed/);
    auto.close();
  });

  it.each([
    ['a group that does not exist', { group: 'no-such-group-here' }],
    ['a hidepid that does not exist', { hidepid: 3 }],
    ['an exempt group that is no number', { exemptGid: -1 }],
  ])('refuses %s before it does anything', async (_, options) => {
    await expect(install({ at, ...options } as InstallOptions)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(existsSync(at)).toBe(false);
  });

  it('refuses a directory that others could replace', async () => {
    mkdirSync(at);
    chownSync(at, 1_234, 1_234);
    await expect(install({ at })).rejects.toMatchObject({ code: 'ERR_FDMAP_UNSAFE_DIRECTORY' });
    expect(isMounted(at)).toBe(false);
    rmdirSync(at);
    await expect(install({ at: join(at, 'deeper') })).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'mkdir',
    });
  });

  it('a failure half-way leaves what was there before', async () => {
    const loaded = loadObject(door, FDMAP_SELF, { vpidLookup: false });
    let pins = 0;
    const failing: Door = {
      ...door,
      bpf: (command, attr, size) =>
        command === BPF_OBJ_PIN && ++pins === 2 ? -ENOSPC : door.bpf(command, attr, size),
    };
    const manifest = { version: '', build: '', reason: '' } as Manifest;
    const attempt = () => withPlace(door, at, () => pinVersion(failing, at, 'abi1-half', [loaded], manifest));
    const pin = () => {
      pins = 0;
      return attempt;
    };
    try {
      // Nothing was there: nothing is.
      expect(pin()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
      expect(existsSync(at)).toBe(false);
      // A version was there: it still is, and answers.
      const { path } = await install({ at });
      expect(pin()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
      expect(join(at, readlinkSync(join(at, 'current')))).toBe(path);
      expect(listing().length).toBe(2);
      openHere().close();
    } finally {
      unload(door, loaded);
    }
  });

  it('names both ABIs where they differ, and goes on to the next backend', async () => {
    const { path } = await install({ at });
    unlinkSync(join(at, 'current'));
    symlinkSync(path.replace('abi1', 'abi99').slice(at.length + 1), join(at, 'current'));
    expect(() => openHere()).toThrow(/have ABI 99, this library has ABI 1/);
    const auto = openHere('auto');
    expect(auto.backend).toBe('kernel');
    expect(auto.why).toMatch(/not pinned: .*ABI 99.*ABI 1/);
    auto.close();
    unlinkSync(join(at, 'current'));
    symlinkSync(path.slice(at.length + 1), join(at, 'current'));
  });

  it.each([
    ['writable by others', 'mode=1777', /writable by others/],
    ['of another user', 'mode=0755,uid=1234', /belongs to user/],
  ])('callers refuse a bpffs that is %s', (_, options, message) => {
    mkdirSync(at);
    const mounted = mount(door, 'other', at, 'bpf', 0, options);
    try {
      if (mounted < 0) expect(mount(door, 'other', at, 'bpf', 0, 'mode=0755')).toBe(0);
      // Before 6.9 bpffs has no option for its owner, and ignores it.
      if (options.includes('uid=1234') && statSync(at).uid !== 1_234) chownSync(at, 1_234, 0);
      expect(() => openPinned(door, at)).toThrow(message);
      expect(() => openPinned(door, at)).toThrow(
        expect.objectContaining({ code: 'ERR_FDMAP_UNSAFE_DIRECTORY' }),
      );
    } finally {
      unmount(door, at, 0);
      rmdirSync(at);
    }
  });

  it('callers refuse what is no bpffs', () => {
    mkdirSync(at);
    expect(() => openPinned(door, at)).toThrow(/not a bpf file system/);
    rmdirSync(at);
  });

  it('callers in a loop never miss the calls while versions change', {
    timeout: patience(120_000),
  }, async () => {
    await install({ at });
    const script = `const f = await import(${JSON.stringify(dist)});
      let answers = 0, wrong = [];
      process.on('SIGTERM', () => { console.log(JSON.stringify({ answers, wrong: wrong.slice(0, 5) })); process.exit(); });
      const expected = String(f.open({ backend: 'proc' }).fdmap());
      (function loop() {
        for (let i = 0; i < 20; i++) {
          try {
            const h = f.open({ backend: 'pinned' });
            if (h.pidmap({ mode: 'threads' }).includes(process.pid)) answers++; else wrong.push('not there');
            h.close();
          } catch (e) { wrong.push(e.message); }
        }
        setImmediate(loop);
      })();`;
    const callers = Array.from({ length: 2 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { FDMAP_BPFFS: at },
      }),
    );
    const reports = callers.map(async (child) => {
      let text = '';
      child.stdout.on('data', (piece) => {
        text += piece;
      });
      await new Promise((resolve) => child.once('close', resolve));
      return JSON.parse(text);
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (let i = 0; i < scaled(5, 3); i++) await install({ at, hidepid: i % 2 ? 0 : 2 });
    for (const child of callers) child.kill('SIGTERM');
    for (const { answers, wrong } of await Promise.all(reports)) {
      expect(wrong).toEqual([]);
      expect(answers).toBeGreaterThan(10);
    }
    expect(lstatSync(join(at, 'current')).isSymbolicLink()).toBe(true);
  });
});
