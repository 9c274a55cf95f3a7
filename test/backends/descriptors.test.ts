/** fdmap() of processes whose descriptors are known to the number. */

import { beforeAll, describe, expect, test } from 'vitest';
import { describeBackends } from '../helpers/backends.ts';
import { listedDescriptors, sleeper } from '../helpers/processes.ts';
import { World } from '../helpers/world.ts';

const has = (numbers: Int32Array, ...wanted: number[]) => wanted.filter((fd) => !numbers.includes(fd));

describe('descriptors', () => {
  let world: World;
  const placed = [63, 64, 65, 127, 128, 255, 256, 257, 511, 512, 1023, 1024, 1025, 2047, 2048, 4095];
  beforeAll(async () => {
    world = await World.start();
    await world.run(({ place }, numbers) => {
      for (const fd of numbers) place(fd);
    }, placed);
  });

  describeBackends('known numbers', (handle) => {
    test('are all there, and what /proc lists is the same', () => {
      const numbers = handle().fdmap(world.pid);
      expect(has(numbers, ...placed)).toEqual([]);
      expect([...numbers]).toEqual(listedDescriptors(world.pid));
    });

    test('none open', async () => {
      const { pid } = await sleeper('<&- >&- 2>&-');
      expect(handle().fdmap(pid)).toEqual(new Int32Array(0));
    });
  });
});
