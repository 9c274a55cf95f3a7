/** What pidinfo joins to a record by number alone is of the process that the record is about. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { expect, onTestFinished } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { KernelBackend, loadingSource } from '../../src/backends/kernel/backend.ts';
import { ProcBackend } from '../../src/backends/proc/backend.ts';
import { pidinfo } from '../../src/calls/pidinfo.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { needs } from '../helpers/needs.ts';
import { commandOf, shell } from '../helpers/processes.ts';
import { patience, until } from '../helpers/scale.ts';

const wait = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** A process that its parent waits for, so that its number is free when it ends. */
async function reaped(): Promise<number> {
  const parent = shell('sleep 1000 & echo $!; wait $!; exec sleep 1000');
  const pid = Number(await until('the pid', () => /^\d+(?=\n)/.exec(parent.output())?.[0]));
  await until('it runs', () => commandOf(pid) === 'sleep');
  return pid;
}

/** Ends it, and has its number be that of `tail`: without giving way to the event loop. */
function replace(pid: number): void {
  process.kill(pid, 'SIGKILL');
  const end = Date.now() + patience(10_000);
  while (existsSync(`/proc/${pid}`) && Date.now() < end) wait(1);
  // startTime in /proc has steps of 10 ms.
  wait(25);
  const others: ChildProcess[] = [];
  onTestFinished(() => {
    for (const other of others) other.kill('SIGKILL');
  });
  // The next number that the kernel gives: pid_namespaces(7). A neighbour may be faster.
  while (Date.now() < end) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    const other = spawn('tail', ['-f', '/dev/null'], { stdio: 'ignore' });
    others.push(other);
    if (other.pid === pid) return;
  }
  throw new Error(`${pid} is not used again`);
}

/** A backend between whose records and everything else `happens`. */
function interrupted(backend: Backend, happens: () => void): Backend {
  let asked = false;
  return new Proxy(backend, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const answer = Reflect.apply(member, target, args);
        if (name === 'pidinfo' && !asked) {
          asked = true;
          happens();
        }
        return answer;
      };
    },
  });
}

const BACKENDS = [
  { name: 'kernel', make: () => new KernelBackend(nativeDoor!, loadingSource(nativeDoor!, release())) },
  { name: 'proc', make: () => new ProcBackend(nativeDoor) },
] as const;

for (const { name, make } of BACKENDS) {
  const { test } = needs(name, 'proc', 'root');
  for (const named of [true, false]) {
    test(`a number used again meanwhile gives nobody another's program and arguments: ${named ? 'named' : 'all'} [${name}]`, async () => {
      const pid = await reaped();
      const backend = make();
      onTestFinished(() => backend.close());
      const fields = ['command', 'exe', 'args'] as const;
      const target = named ? [pid] : undefined;
      const rows = pidinfo(
        interrupted(backend, () => replace(pid)),
        target,
        { fields },
      ).toArray();
      expect(rows.find((row) => row.pid === pid)).toEqual({
        pid,
        command: 'sleep',
        argsError: { code: 'ESRCH', syscall: 'open' },
      });
      // Whose number it is now has both.
      const later = pidinfo(backend, target, { fields }).toArray();
      expect(later.find((row) => row.pid === pid)).toMatchObject({
        command: 'tail',
        exe: { path: expect.any(String) },
        args: ['tail', '-f', '/dev/null'],
      });
    });
  }
}
