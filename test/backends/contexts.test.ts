/** Contexts as strangers may send them: an error or a right answer, and nothing of anybody else's. */

import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import * as abi from '../../src/abi/layout.gen.ts';
import { open } from '../../src/calls/open.ts';
import * as objects from '../../src/loader/objects.gen.ts';
import type { Runner } from '../../src/sys/bpf.ts';
import { EACCES, EAGAIN, EBUSY, EINVAL, ESRCH } from '../../src/sys/errno.ts';
import { needs } from '../helpers/needs.ts';
import { listedThreads, shell, sleeper } from '../helpers/processes.ts';
import { loadedFor } from '../helpers/programs.ts';
import { scaled, until } from '../helpers/scale.ts';
import { World } from '../helpers/world.ts';

const word = (offset: number) => offset >> 2;
const ERRORS = [-EINVAL, -ESRCH, -EACCES, -EAGAIN, -EBUSY];
const OPEN = word(abi.FDMAP_SMALL_OPEN);

/** Words of 32 bits that a head can be made of: edges first. */
const anyWord = fc.oneof(
  fc.constantFrom(
    0,
    1,
    2,
    3,
    4,
    5,
    -1,
    63,
    64,
    1023,
    1024,
    0x7fff_ffff,
    -0x8000_0000,
    0x4000_0000,
    0x4000_0001,
  ),
  fc.integer(),
);
const anyHead = fc.array(anyWord, { minLength: 12, maxLength: 12 });
/** Mostly the right version, so that the rest is looked at too. */
const abiWord = fc.oneof(
  { weight: 4, arbitrary: fc.constant(abi.FDMAP_ABI) },
  { weight: 1, arbitrary: anyWord },
);

function ask(runner: Runner, head: readonly number[], filler = 0): Int32Array {
  const { i32 } = runner.context;
  i32.fill(filler);
  i32.set(head);
  expect(runner.run()).toBe(0);
  expect(runner.returned).toBe(0);
  return i32;
}

/** A right answer to any head, or one of the errors that are documented. */
function anyHeadIsAnswered(program: Runner, size: number): void {
  fc.assert(
    fc.property(abiWord, fc.constantFrom(0, 0, 0, 1, -1), anyHead, (version, flags, rest) => {
      const head = [version, flags, ...rest.slice(2)];
      const start = head[3]!;
      const answer = ask(program, head);
      const error = answer[word(abi.FDMAP_HEAD_ERROR)]!;
      const words = answer[word(abi.FDMAP_HEAD_WORDS)]!;
      if (version !== abi.FDMAP_ABI || flags !== 0 || start < 0) expect(error).toBe(-EINVAL);
      else expect([0, ...ERRORS]).toContain(error);
      if (error < 0) expect(words).toBe(0);
      expect(words * 8).toBeLessThanOrEqual(size - abi.SIZEOF_FDMAP_HEAD);
      expect(words).toBeGreaterThanOrEqual(0);
      if (words > 0) {
        expect(answer[word(abi.FDMAP_HEAD_BASE)]).toBe(Math.floor(start / 64) * 64);
        expect(answer[word(abi.FDMAP_HEAD_SIZE)]).toBeGreaterThan(start);
      }
    }),
    { numRuns: scaled(2000, 50) },
  );
}

needs('kernel').describe('fdmap programs of oneself', () => {
  const small = loadedFor(objects.FDMAP_SELF);
  const wide = loadedFor(objects.FDMAP_SELF_WIDE);
  const special = loadedFor(objects.FDMAP_SPECIAL);
  test('special: any head gives an error or an answer that is consistent', () => {
    anyHeadIsAnswered(special(abi.SIZEOF_FDMAP_SMALL), abi.SIZEOF_FDMAP_SMALL);
  });
  test('special: an answer holds nothing of the answer before it', () => {
    const program = special(abi.SIZEOF_FDMAP_SMALL);
    // Node has some: epoll, eventfd, pipes.
    const full = ask(program, [abi.FDMAP_ABI, 0, 0, 0]);
    expect(full[word(abi.FDMAP_HEAD_ERROR)]).toBe(0);
    expect(full.subarray(OPEN).some((bits) => bits !== 0)).toBe(true);
    const none = ask(program, [abi.FDMAP_ABI, 0, 0, 0x7000_0000]);
    expect(none[word(abi.FDMAP_HEAD_ERROR)]).toBe(0);
    expect(none.subarray(OPEN).every((bits) => bits === 0)).toBe(true);
  });
  test('small: any head gives an error or an answer that is consistent', () => {
    anyHeadIsAnswered(small(abi.SIZEOF_FDMAP_SMALL), abi.SIZEOF_FDMAP_SMALL);
  });
  test('wide: any head gives an error or an answer that is consistent', () => {
    anyHeadIsAnswered(wide(abi.SIZEOF_FDMAP_WIDE), abi.SIZEOF_FDMAP_WIDE);
  });
});

needs('tier-a').describe('fdmap programs', () => {
  const small = loadedFor(objects.FDMAP);
  const wide = loadedFor(objects.FDMAP_WIDE);
  let large: World;
  beforeAll(async () => {
    large = await World.start();
    await large.run(({ place }) => {
      for (let fd = 1000; fd < 15_000; fd += 3) place(fd);
    });
  });

  test('small: any head gives an error or an answer that is consistent', () => {
    anyHeadIsAnswered(small(abi.SIZEOF_FDMAP_SMALL), abi.SIZEOF_FDMAP_SMALL);
  });
  test('wide: any head gives an error or an answer that is consistent', () => {
    anyHeadIsAnswered(wide(abi.SIZEOF_FDMAP_WIDE), abi.SIZEOF_FDMAP_WIDE);
  });

  test('an answer holds nothing of the answer before it', async () => {
    const program = wide(abi.SIZEOF_FDMAP_WIDE);
    const { pid } = await sleeper('<&- >&- 2>&-');
    // The slot that the program assembles answers in is filled to its end first.
    const full = ask(program, [abi.FDMAP_ABI, 0, large.pid, 0]);
    expect(full[word(abi.FDMAP_HEAD_WORDS)]! * 2).toBeGreaterThan(400);
    expect(full.subarray(OPEN).some((bits) => bits !== 0)).toBe(true);
    const answer = ask(program, [abi.FDMAP_ABI, 0, pid, 0]);
    expect(answer[word(abi.FDMAP_HEAD_WORDS)]).toBeGreaterThan(0);
    expect(answer[word(abi.FDMAP_HEAD_ERROR)]).toBe(0);
    expect(answer.subarray(OPEN).every((bits) => bits === 0)).toBe(true);
  });

  test('a context that is too short is refused by the kernel', () => {
    for (const size of [0, 8, abi.SIZEOF_FDMAP_SMALL - 8]) {
      expect(small(size).run()).toBeLessThan(0);
    }
    expect(wide(abi.SIZEOF_FDMAP_SMALL).run()).toBeLessThan(0);
  });
});

needs('tier-a').describe('pidmap programs', () => {
  const small = loadedFor(objects.PIDMAP);
  const wide = loadedFor(objects.PIDMAP_WIDE);
  const PIDS = word(abi.PIDMAP_SMALL_PIDS);
  for (const [name, size, room, load] of [
    ['small', abi.SIZEOF_PIDMAP_SMALL, abi.PIDMAP_SMALL_ROOM, small],
    ['wide', abi.SIZEOF_PIDMAP_WIDE, abi.PIDMAP_WIDE_ROOM, wide],
  ] as const) {
    test(`${name}: any head gives an error or numbers of the window`, () => {
      const program = load(size);
      fc.assert(
        fc.property(abiWord, anyHead, (version, rest) => {
          const [mode, start, end] = [rest[1]!, rest[3]!, rest[4]!];
          const answer = ask(program, [version, ...rest.slice(1)]);
          const error = answer[word(abi.PIDMAP_HEAD_ERROR)]!;
          const count = answer[word(abi.PIDMAP_HEAD_COUNT)]!;
          const stored = answer[word(abi.PIDMAP_HEAD_STORED)]!;
          const plain = mode & ~abi.PIDMAP_IGNORE_KTHREADS;
          const valid = version === abi.FDMAP_ABI && start >= 0 && plain >= 1 && plain <= 4;
          if (!valid) expect(error).toBe(-EINVAL);
          else expect([0, ...ERRORS]).toContain(error);
          if (error < 0) expect([count, stored]).toEqual([0, 0]);
          expect(stored).toBe(Math.min(count, room));
          for (const pid of answer.subarray(PIDS, PIDS + stored)) {
            expect(pid).toBeGreaterThanOrEqual(Math.max(start, 1));
            expect(pid).toBeLessThan(end);
          }
        }),
        { numRuns: scaled(500, 20) },
      );
    });

    test(`${name}: an answer holds nothing of the answer before it`, async () => {
      const program = load(size);
      const MAX = 0x7fff_ffff;
      const all = ask(program, [abi.FDMAP_ABI, abi.PIDMAP_TASKS, 0, 0, MAX]);
      expect(all[word(abi.PIDMAP_HEAD_STORED)]).toBeGreaterThan(2);
      const one = ask(program, [abi.FDMAP_ABI, abi.PIDMAP_TASKS, 0, process.pid, process.pid + 1]);
      expect(one[word(abi.PIDMAP_HEAD_STORED)]).toBe(1);
      expect(one[PIDS]).toBe(process.pid);
      expect(one.subarray(PIDS + 1).every((pid) => pid === 0)).toBe(true);
    });
  }
});

needs('tier-a').describe('pidinfo programs', () => {
  const RECORDS = abi.PIDINFO_SMALL_RECORDS;
  const EVERY_GROUP = 0xffff_ffff;
  const wide = loadedFor(objects.PIDINFO_WIDE);
  const counts = loadedFor(objects.PIDINFO_COUNTS);
  for (const [name, size, most, load] of [
    ['small', abi.SIZEOF_PIDINFO_SMALL, abi.PIDINFO_SMALL_PIDS, loadedFor(objects.PIDINFO)],
    ['wide', abi.SIZEOF_PIDINFO_WIDE, abi.PIDINFO_WIDE_PIDS, wide],
  ] as const) {
    test(`${name}: an answer holds nothing of the answer before it`, () => {
      const program = load(size);
      const own = Array.from({ length: most }, () => process.pid);
      const NOBODY = 0x7fff_fffe;
      const head = (mask: number, count: number) => [abi.FDMAP_ABI, 0, mask, 0, count, 0, 0, 0, 0, 0, 0, 0];
      // Each slot in turn may be the one that is claimed; the first free one is.
      const full = ask(program, [...head(EVERY_GROUP, own.length), ...own]);
      expect(full[word(abi.PIDINFO_HEAD_ERROR)]).toBe(0);
      expect(full[word(abi.PIDINFO_HEAD_BYTES)]).toBeGreaterThan(1024);
      for (const mask of [0, EVERY_GROUP]) {
        const answer = ask(program, [...head(mask, 1), NOBODY]);
        const bytes = answer[word(abi.PIDINFO_HEAD_BYTES)] as number;
        expect(answer[word(abi.PIDINFO_HEAD_STORED)]).toBe(1);
        expect(bytes).toBeGreaterThan(0);
        expect(bytes).toBeLessThan(512);
        expect(answer.subarray(word(RECORDS + bytes)).every((each) => each === 0)).toBe(true);
      }
    });
  }

  test('counts: an answer holds nothing of the answer before it', () => {
    const program = counts(abi.SIZEOF_PIDINFO_COUNTS);
    const head = (start: number, end: number) => [abi.FDMAP_ABI, abi.PIDMAP_PROC, 0, start, end];
    const all = ask(program, head(0, 0x7fff_ffff));
    expect(all[word(abi.PIDMAP_HEAD_STORED)]).toBeGreaterThan(2);
    const one = ask(program, head(process.pid, process.pid + 1));
    expect(one[word(abi.PIDMAP_HEAD_STORED)]).toBe(1);
    const entries = one.subarray(word(abi.SIZEOF_PIDMAP_HEAD));
    expect(entries[0]).toBe(process.pid);
    expect(entries.subarray(word(abi.SIZEOF_PIDINFO_COUNT)).every((each) => each === 0)).toBe(true);
  });

  needs('python3').test('a process of many threads that is named many times ends a call early', async () => {
    const threads = 1000;
    const many = shell(
      `exec python3 -c 'import threading, time
threading.stack_size(65536)
for _ in range(${threads - 1}): threading.Thread(target=time.sleep, args=(1000,)).start()'`,
    );
    await until('its threads run', () => listedThreads(many.pid).length === threads);
    const pids = Array.from({ length: abi.PIDINFO_WIDE_PIDS }, () => many.pid);
    const head = [abi.FDMAP_ABI, 0, 1 << abi.PIDINFO_TIMES, 0, pids.length, 0, 0, 0, 0, 0, 0, 0];
    const answer = ask(wide(abi.SIZEOF_PIDINFO_WIDE), [...head, ...pids]);
    const stored = answer[word(abi.PIDINFO_HEAD_STORED)] as number;
    const bytes = answer[word(abi.PIDINFO_HEAD_BYTES)] as number;
    expect(stored).toBeGreaterThan(100);
    // STEPS_MOST of pidinfo/steps.bpf.h, and the record that went beyond it.
    expect(stored).toBe(Math.floor((256 * 1024) / threads) + 1);
    expect(bytes / stored).toBeLessThan((abi.SIZEOF_PIDINFO_WIDE - RECORDS) / (stored + 1));

    const handle = open({ backend: 'kernel' });
    try {
      const rows = handle.pidinfo(pids, { fields: ['userTime', 'threads'] }).toArray();
      expect(rows.map(({ pid }) => pid)).toEqual(pids);
      expect(new Set(rows.map((row) => row.threads))).toEqual(new Set([threads]));
    } finally {
      handle.close();
    }
  });
});
