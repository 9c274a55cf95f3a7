/** Where a seccomp filter refuses bpf(2), as the default profiles of containers do. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { listedDescriptors, sleeper } from '../helpers/processes.ts';

const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

needs('gcc', 'pinned', 'root', 'other-uid').describe('without bpf(2)', () => {
  const into = openDirectory();

  function run(script: string, ...options: string[]): unknown {
    const { stdout, stderr } = spawnSync(
      compile('test/c/actor.c', into),
      [
        'exec',
        'nobpf',
        ...options,
        '--',
        process.execPath,
        '--input-type=module',
        '-e',
        `const f = await import(${JSON.stringify(dist)}); ${script}`,
      ],
      { encoding: 'utf8', env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS } },
    );
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }
  const user = ['uid=1001,1001,1001', 'gid=1001,1001,1001'];

  it('pinned answers from streams, and says so', async () => {
    const { pid } = await sleeper('5</dev/null 70</dev/null', { uid: 1_001, gid: 1_001 });
    const answer = run(
      `const h = f.open();
       console.log(JSON.stringify([h.backend, h.why, [...h.fdmap(${pid})], h.pidmap().includes(${pid}), h.pidmap({ mode: 'threads', pid: ${pid} }).length]));`,
      ...user,
    );
    expect(answer).toEqual([
      'pinned',
      expect.stringMatching(/bpf\(2\) is forbidden here/),
      listedDescriptors(pid),
      true,
      1,
    ]);
  });

  it('fdinfo and the program of a process too, of one and of all', async () => {
    const { pid } = await sleeper('5</dev/null 7<.', { uid: 1_001, gid: 1_001 });
    const ask = `
      const rows = (list) => list.toArray().filter((row) => row.pid === ${pid});
      const brief = (list) => rows(list).map(({ fd, type, path }) => [fd, type, path]);
      const self = h.fdinfo().toArray().map(({ fd }) => fd);
      console.log(JSON.stringify([
        brief(h.fdinfo(${pid}, { places: true })).filter(([fd]) => fd !== 'mem'),
        brief(h.fdinfo([${pid}, process.pid], { places: true })).filter(([fd]) => fd !== 'mem'),
        brief(h.fdinfo(undefined, { path: '/dev/null' })),
        rows(h.pidinfo(undefined, { fields: ['exe'] }))[0].exe.path,
        self.filter((fd) => !fs.existsSync('/proc/self/fd/' + fd)),
      ]));`;
    const head = `const fs = await import('node:fs');`;
    const forbidden = run(
      `${head} const h = f.open(); if (!/forbidden/.test(h.why)) throw h.why; ${ask}`,
      ...user,
    );
    const { stdout } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `${head} const f = await import(${JSON.stringify(dist)}); const h = f.open({ backend: 'pinned' }); ${ask}`,
      ],
      { encoding: 'utf8', uid: 1_001, gid: 1_001, env: { FDMAP_BPFFS: process.env.FDMAP_TEST_BPFFS } },
    );
    const [self, ...rest] = (forbidden as unknown[]).toReversed();
    expect(rest).toEqual(JSON.parse(stdout).toReversed().slice(1));
    // The stream's own descriptor is not part of the answer.
    expect(self).toEqual([]);
    expect((forbidden as [unknown[][]])[0]).toContainEqual([7, 'dir', process.cwd()]);
  });

  it('fdinfo: errors are the same', () => {
    const answer = run(
      `const h = f.open(); const codes = [];
       for (const pid of [${process.pid}, 4194303]) try { h.fdinfo(pid) } catch (e) { codes.push(e.code) }
       console.log(JSON.stringify([...codes, h.fdinfo().hidden > 0]))`,
      ...user,
    );
    expect(answer).toEqual(['EACCES', 'ESRCH', true]);
  });

  it('the access check is the same', () => {
    const answer = run(
      `const h = f.open({ backend: 'pinned' }); const codes = [];
       for (const pid of [${process.pid}, 4194303, -5]) try { h.fdmap(pid) } catch (e) { codes.push(e.code) }
       console.log(JSON.stringify(codes))`,
      ...user,
    );
    expect(answer).toEqual(['EACCES', 'ESRCH', 'ESRCH']);
  });

  it('its own descriptors are those that /proc lists, and the same after', () => {
    const answer = run(
      `const h = f.open({ backend: 'pinned' }); const p = f.open({ backend: 'proc' });
       console.log(JSON.stringify([[...h.fdmap()], [...h.fdmap(process.pid)], [...p.fdmap()]]))`,
      ...user,
    ) as number[][];
    expect(answer[0]).toEqual(answer[2]);
    expect(answer[1]).toEqual(answer[2]);
  });

  it('a reader with more rights lends them to nobody', async () => {
    // The stream is opened by an ordinary user; root reads it.
    const { pid } = await sleeper('5</dev/null');
    const stream = `${process.env.FDMAP_TEST_BPFFS}/current/fdmap_task_stream`;
    const read = (by: string[]) => {
      const { stdout } = spawnSync('sh', ['-c', `${by.join(' ')} | od -An -v -td4 -w4`], {
        encoding: 'latin1',
        maxBuffer: 1 << 28,
      });
      const words = stdout.trim().split(/\s+/).map(Number);
      // A head is abi, flags, pid, start, error…: the error of our sleeper's.
      const at = words.findIndex((word, i) => word === pid && words[i - 2] === 1 && words[i - 1] === 0);
      return words[at + 2];
    };
    expect(read([`cat ${stream}`])).toBe(0);
    // perl opens as the user, becomes root again and reads.
    const opener = `perl -e '$> = 1001; open(F, "<", "${stream}") or die; $> = 0; binmode F; while (sysread(F, $b, 32768)) { print $b }'`;
    expect(read([opener])).toBe(-13);
  });
});
