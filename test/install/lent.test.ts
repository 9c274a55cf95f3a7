/** A stream that one process opened and another reads: who reads it lends his rights to nobody. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import * as abi from '../../src/abi/layout.gen.ts';
import { install, uninstall } from '../../src/calls/install.ts';
import { openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { listedThreads, shell, sleeper } from '../helpers/processes.ts';
import { until } from '../helpers/scale.ts';

const LEND = join(import.meta.dirname, '../helpers/worlds/lend.py');
const OWN = 1001;
const FOREIGN = 1002;
const EXEMPT = 4_321;

needs('root', 'kernel', 'python3', 'setpriv').describe('a stream that another opened', () => {
  const at = join(openDirectory(), 'fdmap');

  async function targets() {
    const [own, foreign] = await Promise.all([OWN, FOREIGN].map((id) => sleeper('', { uid: id, gid: id })));
    return { own: own!.pid, foreign: foreign!.pid };
  }

  afterEach(() => uninstall({ at }));

  function lent(stream: string, opener: string, reader: string): Buffer {
    const { stdout, stderr, status } = spawnSync('python3', [LEND, join(at, stream), opener, reader], {
      maxBuffer: 1 << 28,
    });
    expect({ stderr: stderr.toString(), status }).toEqual({ stderr: '', status: 0 });
    return stdout;
  }

  /** Processes that a text lists: its first column. */
  const textPids = (text: Buffer) =>
    text
      .toString()
      .split('\n')
      .map((line) => Number.parseInt(line, 10));

  function recordPids(records: Buffer, size: number, offset: number): number[] {
    expect(records.length % size).toBe(0);
    return Array.from({ length: records.length / size }, (_, i) => records.readInt32LE(i * size + offset));
  }

  /** Tasks in a stream of fdmap: a head each, and, where it has words, those and the head once more. */
  function tasksOf(bytes: Buffer): number[] {
    const tasks: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      tasks.push(bytes.readInt32LE(at + abi.FDMAP_HEAD_PID));
      const words = bytes.readUInt32LE(at + abi.FDMAP_HEAD_WORDS);
      at += words ? 2 * abi.SIZEOF_FDMAP_HEAD + 8 * words : abi.SIZEOF_FDMAP_HEAD;
    }
    return tasks;
  }

  it('hidepid: a member of the exempt group shows others to members alone', async () => {
    const { own, foreign } = await targets();
    await install({ at, hidepid: 2, exemptGid: EXEMPT, text: true });
    const member = `uid=${OWN},groups=${EXEMPT}`;
    const streams: [string, (bytes: Buffer) => number[]][] = [
      ['ps', textPids],
      [
        'current/pidmap_tasks_stream',
        (bytes) => recordPids(bytes, abi.SIZEOF_PIDMAP_RECORD, abi.PIDMAP_RECORD_PID),
      ],
    ];
    for (const [stream, pids] of streams) {
      const whole = pids(lent(stream, `uid=${OWN}`, `uid=${OWN}`));
      expect(whole, stream).toContain(own);
      expect(whole, stream).not.toContain(foreign);
      const borrowed = pids(lent(stream, `uid=${OWN}`, member));
      expect(borrowed, stream).not.toContain(foreign);
      // The control: who opens it himself as a member is shown both.
      const { stdout } = spawnSync(
        'setpriv',
        [`--reuid=${OWN}`, `--regid=${OWN}`, `--groups=${EXEMPT}`, 'cat', join(at, stream)],
        {
          maxBuffer: 1 << 28,
        },
      );
      expect(pids(stdout), stream).toEqual(expect.arrayContaining([own, foreign]));
    }
  });

  it('hidepid=1: the numbers of processes are listed, those of their threads are not', async () => {
    const threaded = shell(
      `exec python3 -c 'import threading, time; [threading.Thread(target=time.sleep, args=(1000,)).start() for _ in "123"]'`,
      { uid: FOREIGN, gid: FOREIGN },
    );
    await until('its threads run', () => listedThreads(threaded.pid).length === 4);
    const others = listedThreads(threaded.pid).filter((tid) => tid !== threaded.pid);
    await install({ at, hidepid: 1, exemptGid: EXEMPT });
    const stream = 'current/fdmap_task_stream';
    const told = (id: number) => tasksOf(lent(stream, `uid=${id}`, `uid=${id}`));
    expect(told(FOREIGN)).toEqual(expect.arrayContaining([threaded.pid, ...others]));
    const stranger = told(OWN);
    expect(stranger).toContain(threaded.pid);
    expect(stranger.filter((tid) => others.includes(tid))).toEqual([]);
  });

  needs('landlock').test('Landlock: who is outside shows nothing to who is inside', async () => {
    const { own } = await targets();
    await install({ at, hidepid: 0, text: true });
    expect(textPids(lent('fds', `uid=${OWN}`, `uid=${OWN}`))).toContain(own);
    expect(textPids(lent('fds', `uid=${OWN}`, `uid=${OWN},landlock`))).not.toContain(own);
    expect(textPids(lent('fds', `uid=${OWN},landlock`, `uid=${OWN}`))).not.toContain(own);
  });
});
