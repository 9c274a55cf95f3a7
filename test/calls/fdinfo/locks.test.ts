/** Locks of what is no regular file: of directories, FIFOs, devices and memfds. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { shell } from '../../helpers/processes.ts';
import { until } from '../../helpers/scale.ts';

/** Nobody else locks these: a directory, a FIFO and a memfd of its own, and a terminal that it has made. */
const LOCKER = `
import fcntl, os, sys, time
directory = sys.argv[1]
os.mkfifo(directory + "/fifo")
where = {20: os.open(directory, os.O_RDONLY), 21: os.open(directory + "/fifo", os.O_RDWR)}
where[22], where[24] = os.openpty()
where[23] = os.memfd_create("locked")
for number, fd in where.items(): os.dup2(fd, number)
fcntl.flock(20, fcntl.LOCK_SH)
fcntl.flock(21, fcntl.LOCK_EX)
fcntl.flock(24, fcntl.LOCK_EX)
os.ftruncate(23, 100)
fcntl.lockf(23, fcntl.LOCK_EX, 10, 40)
print("locked", flush=True)
time.sleep(1000)
`;

describeBackends('locks', (handle) => {
  needs('python3').test('of a directory, a FIFO, a terminal and a memfd', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fdmap-locks-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const child = shell(`exec python3 -c '${LOCKER}' ${directory}`);
    await until('it has locked', () => child.output().includes('locked'));
    const found = handle()
      .fdinfo(child.pid, { fd: [20, 21, 23, 24] })
      .toArray()
      .map(({ fd, type, locks }) => ({ fd, type, locks }));
    expect(found).toEqual([
      { fd: 20, type: 'dir', locks: [{ kind: 'flock', type: 'read', start: 0 }] },
      { fd: 21, type: 'fifo', locks: [{ kind: 'flock', type: 'write', start: 0 }] },
      { fd: 23, type: 'memfd', locks: [{ kind: 'posix', type: 'write', start: 40, end: 49 }] },
      { fd: 24, type: 'char', locks: [{ kind: 'flock', type: 'write', start: 0 }] },
    ]);
  });
});
