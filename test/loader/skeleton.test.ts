/** Loading: what each of the four calls is given, and what is left when one refuses. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FDMAP_CONFIG_PAGE_SIZE } from '../../src/abi/layout.gen.ts';
import { selectBackend } from '../../src/backends/select.ts';
import * as objects from '../../src/loader/objects.gen.ts';
import { LoadError, loadObject, type ObjectFile, unload } from '../../src/loader/skeleton.ts';
import { getDescriptorFlags } from '../../src/sys/calls.ts';
import { EACCES, EINVAL, EMFILE, EPERM } from '../../src/sys/errno.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { SYSCALLS } from '../../src/sys/uapi.gen.ts';
import { type BpfCall, FakeDoor } from '../helpers/fake-door.ts';
import { needs } from '../helpers/needs.ts';
import { scaled } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';

const nr = SYSCALLS[process.arch as keyof typeof SYSCALLS];
const CONFIG = { vpidLookup: true };
const ALL: readonly ObjectFile[] = Object.values(objects);
const asset = (name: string) => readFileSync(new URL(`../../assets/${name}`, import.meta.url));
const [MAP_CREATE, MAP_UPDATE, PROG_LOAD, PROG_RUN] = [0, 2, 5, 10];

/** A kernel that takes an object, or refuses at one step; the loader program opens descriptors from 100 on. */
function kernelFor(
  object: ObjectFile,
  refuse: { command?: number; errno?: number; log?: string; random?: number } = {},
) {
  const open = new Set([0, 1, 2]);
  const blocked: boolean[] = [];
  const door: FakeDoor = new FakeDoor({
    syscall(number, fd, command) {
      if (number === nr.close) return open.delete(fd!) ? 0 : -9;
      if (number === nr.rt_sigprocmask) {
        blocked.push(door.at(command!).getBigUint64(0, true) === 2n ** 64n - 1n);
        return 0;
      }
      // Pages of 16 KiB: an address that is at the beginning of none is refused.
      if (number === nr.madvise) return fd! % 16384 === 0 ? 0 : -EINVAL;
      if (number === nr.getrandom) {
        if (refuse.random) return -refuse.random;
        Buffer.from(door.at(fd!).buffer).fill(0x5a);
        return command!;
      }
      expect([number, command]).toEqual([nr.fcntl, 1]);
      return open.has(fd!) ? 0 : -9;
    },
    bpf(call: BpfCall) {
      const { command, attr } = call;
      if (command === MAP_CREATE || command === PROG_LOAD) {
        if (command === refuse.command) return -refuse.errno!;
        const fd = command === MAP_CREATE ? 50 : 51;
        open.add(fd);
        return fd;
      }
      if (command === MAP_UPDATE) return command === refuse.command ? -refuse.errno! : 0;
      expect(command).toBe(PROG_RUN);
      const context = door.at(attr.getBigUint64(48, true));
      // struct bpf_loader_ctx: sz, flags, log_level, log_size, log_buf
      expect(context.getUint32(0, true)).toBe(24 + object.maps.length * 16 + object.programs.length * 4);
      if (command === refuse.command) {
        const log = context.getBigUint64(16, true);
        if (log !== 0n) Buffer.from(door.at(log).buffer).write(refuse.log ?? '');
        return -refuse.errno!;
      }
      let fd = 100;
      object.maps.forEach((_, i) => {
        open.add(fd);
        context.setInt32(24 + i * 16, fd++, true);
      });
      object.programs.forEach((_, i) => {
        open.add(fd);
        context.setInt32(24 + object.maps.length * 16 + i * 4, fd++, true);
      });
      return 0;
    },
  });
  return { door, open, blocked };
}

const thrown = (call: () => unknown): LoadError => {
  try {
    call();
  } catch (error) {
    return error as LoadError;
  }
  throw new Error('it did not throw');
};

describe('with a fake door', () => {
  test('no random key, no programs, and nothing is left open', () => {
    const { door, open } = kernelFor(objects.FDMAP, { random: EPERM });
    expect(() => loadObject(door, objects.FDMAP, CONFIG)).toThrow(
      expect.objectContaining({ code: 'EPERM', syscall: 'getrandom' }),
    );
    expect([...open]).toEqual([0, 1, 2]);
  });

  test.each(ALL.map((object) => [object.name, object] as const))(
    '%s: four calls, and all its descriptors',
    (_, object) => {
      const { door, open, blocked } = kernelFor(object);
      const loaded = loadObject(door, object, CONFIG);
      expect(door.bpfCalls.map(({ command }) => command)).toEqual([
        MAP_CREATE,
        MAP_UPDATE,
        PROG_LOAD,
        PROG_RUN,
      ]);
      expect([...loaded.maps.keys(), ...loaded.programs.keys()]).toEqual([
        ...object.maps,
        ...object.programs,
      ]);
      expect([...loaded.maps.values(), ...loaded.programs.values()].every((fd) => fd >= 100)).toBe(true);
      // The loader's own map and program are closed.
      expect([50, 51].some((fd) => open.has(fd))).toBe(false);
      const [create, , load] = door.bpfCalls;
      expect(create!.attr.getUint32(8, true)).toBe(asset(`${object.name}.data`).length);
      expect(load!.attr.getUint32(4, true) * 8).toBe(asset(`${object.name}.insns`).length);
      // Signals wait meanwhile.
      expect(blocked).toEqual([true, false]);
      unload(door, loaded);
      expect([...open]).toEqual([0, 1, 2]);
    },
  );

  test.each([
    ['map_create', MAP_CREATE, EPERM, 'EPERM'],
    ['map_update', MAP_UPDATE, 12, 'ENOMEM'],
    ['prog_load', PROG_LOAD, EINVAL, 'EINVAL'],
    ['prog_run', PROG_RUN, EACCES, 'EACCES'],
    ['map_create', MAP_CREATE, EMFILE, 'EMFILE'],
  ] as const)('a refusal at %s', (step, command, errno, code) => {
    const { door, open } = kernelFor(objects.FDMAP, { command, errno });
    const error = thrown(() => loadObject(door, objects.FDMAP, CONFIG));
    expect(error).toBeInstanceOf(LoadError);
    expect(error).toMatchObject({ code: 'ERR_FDMAP_LOAD', object: 'fdmap', step, errno: -errno });
    expect(error.cause).toMatchObject({ code, syscall: 'bpf' });
    expect(error.message).toContain(`cannot load fdmap: ${code} at ${step}`);
    expect([...open]).toEqual([0, 1, 2]);
  });

  test('a loader program that reports 0, 1 or 2 is not believed', () => {
    const { door, open } = kernelFor(objects.FDMAP);
    const honest = door.bpf.bind(door);
    door.bpf = (command, attr, size) => {
      const result = honest(command, attr, size);
      const call = door.bpfCalls.at(-1)!;
      if (command === PROG_RUN) door.at(call.attr.getBigUint64(48, true)).setInt32(24, 1, true);
      return result;
    };
    const error = thrown(() => loadObject(door, objects.FDMAP, CONFIG));
    expect(error).toMatchObject({ step: 'prog_run', errno: -EINVAL });
    expect([0, 1, 2].every((fd) => open.has(fd))).toBe(true);
  });

  test("the verifier's words come along, their end in the message", () => {
    const log = '0: (b7) r0 = 0\n1: (95) exit\nR1 invalid mem access\nprocessed 2 insns\nthe last line\n';
    const { door } = kernelFor(objects.FDMAP, { command: PROG_RUN, errno: EACCES, log });
    const error = thrown(() => loadObject(door, objects.FDMAP, CONFIG));
    expect(error.log).toBe(log);
    expect(error.message).toContain('R1 invalid mem access');
    expect(error.message).not.toContain('r0 = 0');
  });

  test('constants of the programs are those that were asked for', () => {
    for (const vpidLookup of [true, false]) {
      const { door } = kernelFor(objects.FDMAP);
      loadObject(door, objects.FDMAP, { vpidLookup });
      const context = door.at(door.bpfCalls[3]!.attr.getBigUint64(48, true));
      const at = 24 + (objects.FDMAP.maps as readonly string[]).indexOf('rodata') * 16 + 8;
      const constants = door.at(context.getBigUint64(at, true));
      expect(constants.getUint32(0, true)).toBe(vpidLookup ? 1 : 0);
      expect(constants.getUint32(FDMAP_CONFIG_PAGE_SIZE, true)).toBe(16384);
    }
  });
});

const openNow = () =>
  Array.from({ length: 1024 }, (_, fd) => fd).filter((fd) => getDescriptorFlags(nativeDoor!, fd) >= 0);

needs('kernel').describe('with the kernel', () => {
  test.each(ALL.map((object) => [object.name, object] as const))(
    '%s: above 2, close-on-exec, and gone when unloaded',
    (_, object) => {
      const before = openNow();
      const loaded = loadObject(nativeDoor!, object, { vpidLookup: false });
      const added = openNow().filter((fd) => !before.includes(fd));
      expect(new Set(added)).toEqual(new Set([...loaded.maps.values(), ...loaded.programs.values()]));
      // FD_CLOEXEC
      expect(added.map((fd) => getDescriptorFlags(nativeDoor!, fd))).toEqual(added.map(() => 1));
      unload(nativeDoor!, loaded);
      expect(openNow()).toEqual(before);
    },
  );

  test('corrupt files are refused, or do no harm, and nothing stays open', () => {
    const object = objects.FDMAP_SELF;
    const files = { data: asset('fdmap-self.data'), insns: asset('fdmap-self.insns') };
    const before = openNow();
    const attempt = (damaged: typeof files) => {
      try {
        unload(nativeDoor!, loadObject(nativeDoor!, object, CONFIG, damaged));
      } catch (error) {
        expect(error).toBeInstanceOf(LoadError);
      }
      expect(openNow()).toEqual(before);
    };
    // The instructions alone keep account of what they open, so that damage to them is another matter.
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const data = Buffer.from(files.data);
        data[at % data.length]! ^= flip;
        attempt({ ...files, data });
      }),
      { numRuns: scaled(150, 20) },
    );
    for (const length of [0, 8, 16, 80, 400]) {
      attempt({ ...files, insns: Buffer.from(files.insns.subarray(0, length)) });
      attempt({ ...files, data: Buffer.from(files.data.subarray(0, length)) });
    }
  });

  test('with 0, 1 and 2 closed nothing of ours ends there', async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, syscall, nr }) => {
      const { open } = await api();
      for (const fd of [0, 1, 2]) syscall(nr.close, fd);
      const before = new Set(
        Array.from({ length: 200 }, (_, fd) => fd).filter((fd) => syscall(nr.fcntl, fd, 1) >= 0),
      );
      const handle = open({ backend: 'kernel' });
      const numbers = [...handle.fdmap()];
      const added = numbers.filter((fd) => !before.has(fd));
      const flags = added.map((fd) => syscall(nr.fcntl, fd, 1));
      handle.close();
      const left = [...Array(200).keys()].filter((fd) => syscall(nr.fcntl, fd, 1) >= 0 && !before.has(fd));
      return { low: numbers.filter((fd) => fd < 3), added: added.length, flags, left };
    });
    expect(result.low).toEqual([]);
    expect(result.added).toBeGreaterThan(2);
    expect(result.flags.every((flag) => flag === 1)).toBe(true);
    expect(result.left).toEqual([]);
  });
});

test('a backend that is asked for by name never falls back', () => {
  const { backend, why } = selectBackend('proc', new Set());
  expect([backend.name, why]).toEqual(['proc', 'proc: asked for by name, /proc is mounted']);
  backend.close();
});
