import { expect, test } from 'vitest';
import { SpareDescriptors, toHighDescriptor, withLowDescriptorsTaken } from '../../src/sys/descriptors.ts';
import { EBADF, EMFILE } from '../../src/sys/errno.ts';
import { SYSCALLS } from '../../src/sys/uapi.gen.ts';
import { FakeDoor } from '../helpers/fake-door.ts';

const nr = SYSCALLS[process.arch as keyof typeof SYSCALLS];
const [F_GETFD, F_DUPFD_CLOEXEC] = [1, 1030];

/** A descriptor table, as far as close(2) and fcntl(2) know it. */
function tableOf(open: number[], limit = 64) {
  const table = new Set(open);
  const door = new FakeDoor({
    syscall(number, fd = -1, command, least = 0) {
      if (number === nr.close) return table.delete(fd) ? 0 : -EBADF;
      if (number !== nr.fcntl) throw new Error(`no system call ${number} here`);
      if (!table.has(fd)) return -EBADF;
      if (command === F_GETFD) return 0;
      // Nothing of ours may be inherited.
      expect(command).toBe(F_DUPFD_CLOEXEC);
      let free = least;
      while (table.has(free)) free++;
      if (free >= limit) return -EMFILE;
      table.add(free);
      return free;
    },
  });
  return { door, table };
}

test.each([0, 1, 2])('descriptor %i is moved above the standard streams', (fd) => {
  const { door, table } = tableOf([0, 1, 2, 3]);
  expect(toHighDescriptor(door, fd)).toBe(4);
  expect(table.has(fd)).toBe(false);
});

test.each([3, 17, -EBADF])('%i stays', (fd) => {
  const { door } = tableOf([3, 17]);
  expect(toHighDescriptor(door, fd)).toBe(fd);
  expect(door.syscalls).toEqual([]);
});

test('where nothing is free it stays, rather than being lost', () => {
  const { door, table } = tableOf([0, 1, 2, 3], 4);
  expect(toHighDescriptor(door, 0)).toBe(0);
  expect(table.has(0)).toBe(true);
});

test.each([[[0, 1, 2, 9]], [[1, 2, 9]], [[0, 2, 9]], [[9]]])(
  'with %j open, 0 to 2 are taken during the action and as before afterwards',
  (open) => {
    const { door, table } = tableOf(open);
    const during = withLowDescriptorsTaken(door, () => [0, 1, 2].every((fd) => table.has(fd)));
    expect(during).toBe(true);
    expect([...table].sort((a, b) => a - b)).toEqual(open);
  },
);

test('as before also where the action fails', () => {
  const { door, table } = tableOf([9]);
  expect(() =>
    withLowDescriptorsTaken(door, () => {
      throw new Error('refused');
    }),
  ).toThrow('refused');
  expect([...table]).toEqual([9]);
});

test('two spares: free while lent, taken again afterwards, given back at the end', () => {
  const { door, table } = tableOf([0, 1, 2, 3], 6);
  const spares = new SpareDescriptors(door, 3);
  expect([...table]).toEqual([0, 1, 2, 3, 4, 5]);
  expect(spares.lend(() => table.size)).toBe(4);
  expect(table.size).toBe(6);
  expect(() =>
    spares.lend(() => {
      throw new Error('refused');
    }),
  ).toThrow('refused');
  expect(table.size).toBe(6);
  spares.close();
  expect([...table]).toEqual([0, 1, 2, 3]);
});

test('where others took the freed ones, lending goes on with what there is', () => {
  const { door, table } = tableOf([0, 1, 2, 3], 6);
  const spares = new SpareDescriptors(door, 3);
  spares.lend(() => table.add(4).add(5));
  expect(spares.lend(() => table.size)).toBe(6);
  table.delete(5);
  spares.lend(() => undefined);
  expect(table.size).toBe(6);
  spares.close();
  expect(table.size).toBe(5);
});
