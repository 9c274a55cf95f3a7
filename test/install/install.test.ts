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
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, onTestFinished, test } from 'vitest';
import { openPinned } from '../../src/backends/pinned/backend.ts';
import { withInstallLock } from '../../src/backends/pinned/lock.ts';
import type { Manifest } from '../../src/backends/pinned/manifest.ts';
import { pinVersion } from '../../src/backends/pinned/pins.ts';
import { withPlace } from '../../src/backends/pinned/place.ts';
import { parseProcPolicy, procPolicy } from '../../src/backends/pinned/policy.ts';
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
import { sleeper } from '../helpers/processes.ts';
import { patience, scaled, until } from '../helpers/scale.ts';

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

test.each([
  ['proc /proc proc rw,hidepid=noaccess,gid=27 0 0\n', 1, 27],
  ['proc /proc proc rw 0 0\nproc /proc proc rw,hidepid=invisible 0 0\n', 2, 0],
  ['proc /proc proc rw,relatime 0 0\nproc /jail/proc proc rw,hidepid=ptraceable 0 0\n', 0, 0],
  ['tmpfs /run tmpfs rw 0 0\n', 4, 0],
])('policy of the mounts %j', (mounts, hidepid, exemptGid) => {
  const path = join(parent, 'mounts');
  writeFileSync(path, mounts);
  expect(procPolicy(path)).toEqual({ hidepid, exemptGid });
  rmSync(path);
  expect(procPolicy(path)).toEqual({ hidepid: 4, exemptGid: 0 });
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

  it('a lock that an ordinary user holds on the directory is in nobody’s way', async () => {
    await install({ at });
    const held = spawn(
      'setpriv',
      ['--reuid=61237', '--regid=61237', '--clear-groups', 'flock', at, 'sleep', '600'],
      {
        stdio: 'ignore',
      },
    );
    onTestFinished(() => void held.kill('SIGKILL'));
    await until('the lock is held', () => spawnSync('flock', ['--nonblock', at, 'true']).status !== 0);
    expect(await install({ at, hidepid: 4 })).toMatchObject({ changed: true });
    await uninstall({ at });
  });

  it('waits for another installation, and says for whom it has waited', async () => {
    const path = `${at}.lock`;
    writeFileSync(path, '', { mode: 0o600 });
    const held = spawn('flock', [path, 'sleep', '600'], { stdio: 'ignore', detached: true });
    const end = () => process.kill(-held.pid!, 'SIGKILL');
    onTestFinished(() => {
      if (existsSync(path)) unlinkSync(path);
    });
    await until('the lock is held', () => spawnSync('flock', ['--nonblock', path, 'true']).status !== 0);
    expect(() => withInstallLock(door, at, () => 'ran', 100)).toThrow(
      expect.objectContaining({ code: 'ERR_FDMAP_BUSY', message: expect.stringContaining(path) }),
    );
    end();
    expect(withInstallLock(door, at, () => 'ran')).toBe('ran');
    expect(existsSync(path)).toBe(false);
    // What others could hold as well is no lock.
    writeFileSync(path, '', { mode: 0o644 });
    expect(() => withInstallLock(door, at, () => 'ran')).toThrow(
      expect.objectContaining({ code: 'ERR_FDMAP_UNSAFE_DIRECTORY' }),
    );
  });

  needs('mount-ns').test('the policy is that of the first process, not of the /proc in here', async () => {
    const theirs = procPolicy('/proc/1/mounts').hidepid;
    const other = theirs === 2 ? 1 : 2;
    const installIn = (prepare: string) =>
      spawnSync(
        'unshare',
        [
          '-m',
          'sh',
          '-c',
          `${prepare} && exec "$0" --input-type=module -e "$1"`,
          process.execPath,
          `import { install, uninstall } from ${JSON.stringify(dist)};
           const { hidepid } = await install({ at: ${JSON.stringify(at)} });
           await uninstall({ at: ${JSON.stringify(at)} });
           console.log(hidepid);`,
        ],
        { encoding: 'utf8' },
      );
    const inside = installIn(`mount -t proc -o hidepid=${other} proc /proc`);
    expect(inside).toMatchObject({ stderr: '', stdout: `${theirs}\n` });
    const without = installIn('umount -l /proc');
    expect(without).toMatchObject({ stderr: '', stdout: '4\n' });
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

  it('every pin is in docs/abi.md', async () => {
    const { path } = await install({ at, text: true });
    const page = readFileSync(new URL('../../docs/abi.md', import.meta.url), 'utf8');
    for (const name of readdirSync(path)) {
      expect(page.includes(`\`${name}\``) || page.includes(`\`…/${name}\``), name).toBe(true);
    }
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
      syscall: 'realpath',
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

  /** Callers that ask about `pid` for as long as `action` takes: how many right answers, and what else they got. */
  async function underLoad(pid: number, action: () => Promise<void>) {
    const script = `const f = await import(${JSON.stringify(dist)});
      const ask = (h) => JSON.stringify([
        [...h.fdmap(${pid})],
        [...h.fdinfo(${pid})].map(({ fd, path }) => [fd, path]),
        h.pidinfo(${pid}, { fields: ['pid', 'command', 'fds'] }).toArray(),
        h.pidmap({ mode: 'threads', pid: ${pid} }).length,
      ]);
      const expected = ask(f.open({ backend: 'proc' }));
      const found = { answers: 0, errors: {}, wrong: [] };
      process.on('SIGTERM', () => { console.log(JSON.stringify(found)); process.exit(); });
      console.log('ready');
      (function loop() {
        for (let i = 0; i < 20; i++) {
          try {
            const h = f.open({ backend: 'pinned' });
            try {
              const answer = ask(h);
              if (answer === expected) found.answers++;
              else if (found.wrong.length < 5) found.wrong.push(answer + ' instead of ' + expected);
            } finally {
              h.close();
            }
          } catch (e) {
            const what = e.code + ': ' + e.message;
            found.errors[what] = (found.errors[what] ?? 0) + 1;
          }
        }
        setImmediate(loop);
      })();`;
    const callers = Array.from({ length: 2 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { FDMAP_BPFFS: at },
      }),
    );
    const texts = callers.map(() => '');
    const ends = callers.map((child, i) => {
      child.stdout.on('data', (piece) => {
        texts[i] += piece;
      });
      return new Promise((resolve) => child.once('close', resolve));
    });
    await until('callers are at work', () => texts.every((text) => text === 'ready\n'));
    try {
      await action();
      await setTimeout(patience(300));
    } finally {
      for (const child of callers) child.kill('SIGTERM');
      await Promise.all(ends);
    }
    return texts.map(
      (text) =>
        JSON.parse(text.slice('ready\n'.length)) as {
          answers: number;
          errors: Record<string, number>;
          wrong: string[];
        },
    );
  }

  it('callers in a loop never miss the calls while versions change', {
    timeout: patience(120_000),
  }, async () => {
    const { pid } = await sleeper(`5</dev/null 7<'${parent}'`);
    await install({ at });
    const reports = await underLoad(pid, async () => {
      for (let i = 0; i < scaled(5, 3); i++) await install({ at, hidepid: i % 2 ? 0 : 2 });
    });
    for (const { answers, errors, wrong } of reports) {
      expect({ errors, wrong }).toEqual({ errors: {}, wrong: [] });
      expect(answers).toBeGreaterThan(10);
    }
    expect(lstatSync(join(at, 'current')).isSymbolicLink()).toBe(true);
  });

  it('callers in a loop see answers or one clear error while the calls come and go', {
    timeout: patience(120_000),
  }, async () => {
    const { pid } = await sleeper(`5</dev/null 7<'${parent}'`);
    const reports = await underLoad(pid, async () => {
      for (let i = 0; i < scaled(4, 2); i++) {
        await install({ at });
        await setTimeout(patience(200));
        await uninstall({ at });
      }
    });
    for (const { answers, errors, wrong } of reports) {
      expect(wrong).toEqual([]);
      expect(answers).toBeGreaterThan(0);
      for (const error of Object.keys(errors)) {
        expect(error).toMatch(
          /^ERR_FDMAP_BACKEND_UNAVAILABLE: .*: (there is no|there are no calls in|.* is not a bpf)/,
        );
      }
      expect(Object.keys(errors)).not.toEqual([]);
    }
  });
});
