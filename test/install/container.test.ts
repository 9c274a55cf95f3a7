/** Pinned calls where there is little else: a container's namespaces, no /proc, no free descriptor. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';

const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

needs('gcc', 'pinned', 'root', 'unshare', 'mount-ns', 'setpriv').describe('in a container', () => {
  const into = openDirectory();

  /**
   * New mount and pid namespaces, the pins bind-mounted read-only to where a container would have them,
   * /proc gone, and then no privilege. `$NODE` runs a module that has the package as `f`.
   */
  function inside(script: string, ...before: string[]): unknown {
    const place = `${into}/run`;
    const setup = [
      `mkdir -p ${place}`,
      `mount --make-rprivate /`,
      `mount --bind ${process.env.FDMAP_TEST_BPFFS} ${place}`,
      `mount -o remount,bind,ro ${place}`,
      `umount -l /proc`,
      `export FDMAP_BPFFS=${place}`,
      `exec "$@"`,
    ].join(' && ');
    const { stdout, stderr } = spawnSync(
      'unshare',
      [
        ...['-m', '-p', '-f', 'sh', '-c', setup, 'sh'],
        ...['setpriv', '--reuid', '1234', '--regid', '1234', '--clear-groups', ...before],
        ...[
          process.execPath,
          '--input-type=module',
          '-e',
          `const f = await import(${JSON.stringify(dist)}); ${script}`,
        ],
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } },
    );
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }

  /** As a statement: all that a test looks at. */
  const ASK = `const h = f.open();
    const own = [...h.fdmap()];
    console.log(JSON.stringify({
      backend: h.backend, pid: process.pid, all: [...h.pidmap()], threads: h.pidmap({ mode: 'threads' }).includes(process.pid),
      same: String(own) === String([...h.fdmap(process.pid)]), some: own.length > 3 }));`;
  const EXPECTED = { backend: 'pinned', pid: 1, all: [1], threads: true, same: true, some: true };

  it('pids are those of its namespace, and the access check works', () => {
    expect(inside(ASK)).toEqual(EXPECTED);
  });

  it('also where its seccomp profile forbids bpf(2)', () => {
    expect(inside(ASK, compile('test/c/actor.c', into), 'exec', 'nobpf', '--')).toEqual(EXPECTED);
  });

  it('also without a free descriptor', () => {
    const answer = inside(
      `
      const { openSync } = await import('node:fs');
      const h = f.open({ backend: 'pinned' });
      const fill = () => { for (;;) try { openSync('/dev/null') } catch (e) { return e.code } };
      const full = fill();
      console.log(JSON.stringify([full, h.fdmap().length > 50, h.fdmap(process.pid).length > 50, h.pidmap().length, h.fdmap().length === h.fdmap(process.pid).length]));`,
      'prlimit',
      '--nofile=100:100',
    );
    expect(answer).toEqual(['EMFILE', true, true, 1, true]);
  });

  it('streams also without a free descriptor', () => {
    const answer = inside(
      `
      const { openSync } = await import('node:fs');
      const h = f.open({ backend: 'pinned' });
      const fill = () => { for (;;) try { openSync('/dev/null') } catch (e) { return e.code } };
      const full = fill();
      console.log(JSON.stringify([full, h.fdmap().length > 50, h.pidmap().length]));`,
      'prlimit',
      '--nofile=100:100',
      compile('test/c/actor.c', into),
      'exec',
      'nobpf',
      '--',
    );
    expect(answer).toEqual(['EMFILE', true, 1]);
  });
});
