/** BPF maps, programs and links: those that a process with a handle of this package holds. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { World } from '../../helpers/world.ts';

/** Of include/uapi/linux/bpf.h, those that this package loads. */
const NAMES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  map: { 2: 'array', 29: 'task_storage' },
  prog: { 26: 'tracing', 31: 'syscall' },
};

needs('root', 'kernel', 'proc').describe('of a process that may load them', () => {
  describeBackends('BPF objects', (handle, { proc }) => {
    let world: World;

    beforeAll(async () => {
      world = await World.start();
      await world.run(async ({ api, keep }) => {
        keep.handle = (await api()).open({ backend: 'kernel' });
      });
    });
    afterAll(() => world.end());

    test('maps and programs: as /proc/PID/fdinfo has them, and by name', () => {
      const rows = handle()
        .fdinfo(world.pid, { type: ['bpf-map', 'bpf-prog'] })
        .toArray();
      expect(new Set(rows.map(({ type }) => type)).size).toBe(2);
      for (const row of rows) {
        const text = readFileSync(`/proc/${world.pid}/fdinfo/${row.fd}`, 'latin1');
        const number = (name: string) =>
          Number(new RegExp(`^${name}:\\s+(0x)?([\\da-f]+)`, 'm').exec(text)?.[2]);
        const kind = row.type === 'bpf-map' ? 'map' : 'prog';
        const type = number(`${kind}_type`);
        expect(JSON.parse(JSON.stringify(row)), `${row.fd}`).toMatchObject({
          id: number(`${kind}_id`),
          [`${kind}Type`]: type,
          bpfType: NAMES[kind]![type],
        });
        if (row.type !== 'bpf-map') continue;
        expect([row.keySize, row.valueSize, row.maxEntries]).toEqual(
          ['key_size', 'value_size', 'max_entries'].map(number),
        );
        if (!proc) expect(typeof row.frozen).toBe('boolean');
      }
    });
  });
});
