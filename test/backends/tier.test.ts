/** Which tier answers, by an object source that refuses as kernels do. */

import { expect, test } from 'vitest';
import { KernelBackend, type ObjectSource } from '../../src/backends/kernel/backend.ts';
import * as objects from '../../src/loader/objects.gen.ts';
import { LoadError } from '../../src/loader/skeleton.ts';
import { EACCES, EINVAL, EMFILE, ENFILE, EPERM } from '../../src/sys/errno.ts';
import { FakeDoor } from '../helpers/fake-door.ts';

const loaded: ObjectSource = (object) => ({
  maps: new Map(object.maps.map((name) => [name, 10])),
  programs: new Map(object.programs.map((name, i) => [name, 20 + i])),
});
const refusing =
  (errno: number, step: LoadError['step'] = 'prog_run'): ObjectSource =>
  (object) => {
    if (object.name === objects.FDMAP.name) throw new LoadError(object.name, step, -errno);
    return loaded(object);
  };
const tierOf = (source: ObjectSource) => new KernelBackend(new FakeDoor(), source).tier;

test('A where the program for any task loads', () => {
  expect(tierOf(loaded)).toBe('A');
});

test.each([EINVAL, EACCES])('B where the verifier refuses it with errno %i', (errno) => {
  expect(tierOf(refusing(errno))).toBe('B');
});

test.each([EPERM, EMFILE, ENFILE])('neither at errno %i, which says nothing about the kernel', (errno) => {
  expect(() => tierOf(refusing(errno))).toThrow(LoadError);
});

test.each(['map_create', 'map_update', 'prog_load'] as const)('nor when %s fails', (step) => {
  expect(() => tierOf(refusing(EINVAL, step))).toThrow(LoadError);
});

test('a passing lack of descriptors is asked about again', () => {
  let failing = true;
  const backend = new KernelBackend(new FakeDoor(), (object) =>
    (failing ? refusing(EMFILE) : loaded)(object),
  );
  expect(() => backend.tier).toThrow('EMFILE');
  failing = false;
  expect(backend.tier).toBe('A');
});
