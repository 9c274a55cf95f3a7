/** Arguments, and the order of errors, by a backend that counts what reaches it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { fdmap, fdmapInto } from '../../src/calls/fdmap.ts';
import { open } from '../../src/calls/open.ts';
import { pidmap, pidmapInto } from '../../src/calls/pidmap.ts';
import { ArgumentError, SystemError } from '../../src/errors.ts';
import { EACCES, EMFILE, ESRCH } from '../../src/sys/errno.ts';

function backendOf(answer: number) {
  let asked = 0;
  const reply = () => {
    asked++;
    return answer;
  };
  const nothing = () => undefined;
  const backend: Backend = {
    name: 'proc',
    tier: 'C',
    fdmap: reply,
    pidmap: reply,
    pidinfo: reply,
    executables: reply,
    fdinfo: reply,
    prepare: nothing,
    close: nothing,
  };
  return { backend, asked: () => asked };
}

const thrown = (call: () => unknown): Error => {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not throw');
};

// biome-ignore lint/suspicious/noExplicitAny: what callers from JavaScript may pass
const any = (value: unknown) => value as any;
const odd = [Number.NaN, Number.POSITIVE_INFINITY, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 64];
const notInt32 = fc.oneof(
  fc.constantFrom<unknown>(...odd, null, '1', '', {}, [], true, 5n),
  fc.double({ noInteger: true }),
  fc.string(),
);

describe('EINVAL, before anybody is asked', () => {
  test('pid', () => {
    fc.assert(
      fc.property(notInt32, (pid) => {
        const { backend, asked } = backendOf(-ESRCH);
        for (const error of [
          thrown(() => fdmap(backend, any(pid), {})),
          thrown(() => fdmapInto(backend, new Int32Array(1), any(pid), 0)),
          thrown(() => pidmap(backend, { mode: 'children', pid: any(pid) })),
          thrown(() => pidmapInto(backend, new Int32Array(1), { mode: 'threads', pid: any(pid) })),
        ]) {
          expect(error).toBeInstanceOf(ArgumentError);
          expect(error).toMatchObject({ code: 'EINVAL', errno: -22 });
          expect(error.message).not.toContain('\n');
        }
        expect(asked()).toBe(0);
      }),
    );
  });

  test('start: below 0, or no 32-bit integer', () => {
    fc.assert(
      fc.property(fc.oneof(notInt32, fc.integer({ max: -1 })), (start) => {
        const { backend, asked } = backendOf(-EACCES);
        const into = () => fdmapInto(backend, new Int32Array(1), 1, any(start));
        expect(thrown(() => fdmap(backend, 1, { start: any(start) }))).toMatchObject({ code: 'EINVAL' });
        expect(thrown(into)).toMatchObject({ syscall: 'fdmap' });
        expect(thrown(() => pidmap(backend, { start: any(start) }))).toMatchObject({ syscall: 'pidmap' });
        expect(asked()).toBe(0);
      }),
    );
  });

  test.each([-1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY])('count %s', (count) => {
    const { backend, asked } = backendOf(0);
    expect(thrown(() => fdmap(backend, 0, { count }))).toMatchObject({ code: 'EINVAL' });
    expect(thrown(() => pidmap(backend, { count }))).toMatchObject({ code: 'EINVAL' });
    expect(asked()).toBe(0);
  });

  test('mode', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('Tasks', 'toString', '__proto__')), (mode) => {
        fc.pre(!['processes', 'tasks', 'children', 'threads'].includes(mode));
        const { backend } = backendOf(0);
        expect(thrown(() => pidmap(backend, { mode: any(mode) }))).toMatchObject({ code: 'EINVAL' });
      }),
    );
  });

  test.each([undefined, null, [[]], {}, new Uint32Array(4), new Float64Array(4), new ArrayBuffer(8)])(
    'target %s',
    (target) => {
      const { backend } = backendOf(0);
      expect(thrown(() => fdmapInto(backend, any(target), 0, 0))).toMatchObject({ code: 'EINVAL' });
      expect(thrown(() => pidmapInto(backend, any(target), {}))).toMatchObject({ code: 'EINVAL' });
    },
  );

  test('an argument that is wrong outweighs a pid that is not there', () => {
    const { backend } = backendOf(-ESRCH);
    expect(thrown(() => fdmap(backend, 2 ** 30, { start: -1 }))).toMatchObject({ code: 'EINVAL' });
    expect(thrown(() => fdmap(backend, 2 ** 30, {}))).toMatchObject({ code: 'ESRCH' });
  });

  test('a backend that there is not', () => {
    const error = thrown(() => open({ backend: any('bogus') }));
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'open' });
  });
});

test('any 32-bit pid is well-formed', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(), (pid, start) => {
      const { backend, asked } = backendOf(0);
      expect(fdmapInto(backend, new Int32Array(3), pid, start)).toBe(0);
      expect(pidmapInto(backend, new Int32Array(3), { mode: 'threads', pid, start })).toBe(0);
      expect(asked()).toBe(2);
    }),
  );
});

test.each([
  [ESRCH, 'ESRCH'],
  [EACCES, 'EACCES'],
  [EMFILE, 'EMFILE'],
])('errno %i of a backend becomes an error as Node has them', (errno, code) => {
  const { backend } = backendOf(-errno);
  const error = thrown(() => fdmap(backend, 42, {}));
  expect(error).toBeInstanceOf(SystemError);
  expect(error).toMatchObject({ code, errno: -errno, syscall: 'fdmap', pid: 42 });
  expect(error.message).toMatch(new RegExp(`^${code}: .+, fdmap 42$`));
  const named = thrown(() => pidmap(backend, { mode: 'threads', pid: 42 }));
  expect(named).toMatchObject({ code, syscall: 'pidmap', pid: 42 });
  expect(thrown(() => pidmap(backend, {}))).not.toHaveProperty('pid');
});

test('count 0 is still a question: it can be refused', () => {
  expect(thrown(() => fdmap(backendOf(-ESRCH).backend, 1, { count: 0 }))).toMatchObject({ code: 'ESRCH' });
  const into = () => fdmapInto(backendOf(-EACCES).backend, new Int32Array(0), 1, 0);
  expect(thrown(into)).toMatchObject({ code: 'EACCES' });
});
