/** probeFeatures() before kernels and callers of every kind, by a door that is a fake. */

import { describe, expect, test } from 'vitest';
import { FEATURES, type FeatureName } from '../../src/backends/features.ts';
import { probeFeatures } from '../../src/backends/probe.ts';
import type { Door } from '../../src/sys/door.ts';
import { EACCES, EINVAL, EMFILE, EPERM } from '../../src/sys/errno.ts';
import * as uapi from '../../src/sys/uapi.gen.ts';

const ENOSYS = 38;

/** A kernel that refuses one command of bpf(2); descriptors are numbers that are opened and closed. */
function kernel(refusals: ReadonlyMap<number, number>): { door: Door; open: Set<number> } {
  const open = new Set<number>();
  let next = 10;
  return {
    open,
    door: {
      address: () => 4096,
      bpf(command) {
        const refusal = refusals.get(command);
        if (refusal !== undefined) return -refusal;
        if (command !== uapi.BPF_MAP_CREATE && command !== uapi.BPF_PROG_LOAD) return 0;
        open.add(next);
        return next++;
      },
      syscall(number, fd = 0) {
        if (number === uapi.SYSCALLS.x64.close || number === uapi.SYSCALLS.arm64.close) open.delete(fd);
        return 0;
      },
    },
  };
}

const CASES: readonly {
  what: string;
  command: number;
  errno: number;
  works: boolean | null;
  mayLoad: boolean | null;
}[] = [
  { what: 'no privilege', command: uapi.BPF_MAP_CREATE, errno: EPERM, works: null, mayLoad: false },
  { what: 'no privilege, later', command: uapi.BPF_PROG_LOAD, errno: EPERM, works: null, mayLoad: false },
  { what: 'a security module', command: uapi.BPF_PROG_LOAD, errno: EACCES, works: null, mayLoad: false },
  {
    what: 'no program of this type',
    command: uapi.BPF_PROG_LOAD,
    errno: EINVAL,
    works: false,
    mayLoad: null,
  },
  { what: 'no bpf(2)', command: uapi.BPF_MAP_CREATE, errno: ENOSYS, works: false, mayLoad: null },
];

describe('probeFeatures()', () => {
  for (const { what, command, errno, works, mayLoad } of CASES) {
    test(`${what}: ${works === null ? 'not known' : 'no'}, the rest not tried, nothing left open`, () => {
      const { door, open } = kernel(new Map([[command, errno]]));
      const probed = probeFeatures(door, '6.18.0');
      expect(probed.findings.get('syscall-programs')!.works).toBe(works);
      expect(probed.mayLoad).toBe(mayLoad);
      for (const { name } of FEATURES.slice(1)) {
        const finding = probed.findings.get(name as FeatureName)!;
        expect(finding.works).toBe(null);
        expect(finding.reason).toContain('this kernel is new enough');
      }
      expect([...open]).toEqual([]);
    });
  }

  test('out of descriptors says nothing of the kernel, nor of privileges', () => {
    const { door } = kernel(new Map([[uapi.BPF_MAP_CREATE, EMFILE]]));
    const { findings, mayLoad } = probeFeatures(door, '5.4.0');
    for (const { name } of FEATURES) expect(findings.get(name)!.works).toBe(null);
    expect(findings.get('task-walk')!.reason).toContain('it came with Linux 6.7');
    expect(mayLoad).toBe(null);
  });

  test('the loader program runs, the object is refused: system-call programs work, relocation does not', () => {
    const { door, open } = kernel(new Map([[uapi.BPF_PROG_TEST_RUN, EINVAL]]));
    const { findings } = probeFeatures(door, '5.15.0');
    expect(findings.get('syscall-programs')!.works).toBe(true);
    expect(findings.get('kernel-core')).toMatchObject({ works: false });
    expect(findings.get('vpid-lookup')).toMatchObject({ works: null });
    expect([...open]).toEqual([]);
  });
});
