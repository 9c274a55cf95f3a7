/** diff() between two looks at a process that opens, closes and changes what is known in between. */

import { expect, onTestFinished } from 'vitest';
import { diff } from '../../../src/index.ts';
import { BACKENDS, describeBackends } from '../../helpers/backends.ts';
import { needs } from '../../helpers/needs.ts';
import { World } from '../../helpers/world.ts';

describeBackends(
  'diff of two looks',
  (handle, { proc }) => {
    needs('proc').test('what was opened, closed and changed, and nothing else', async () => {
      const world = await World.start();
      onTestFinished(() => world.end());
      await world.run(({ fs, place, keep }) => {
        place(100, fs.openSync('/dev/zero', 'r'));
        place(101, fs.openSync('/dev/zero', 'r'));
        place(110, fs.openSync('/dev/null', 'r'));
        keep.file = fs.openSync('/etc/passwd', 'r');
        place(120, keep.file);
      });
      const before = handle().capture(world.pid);
      expect(diff(before, handle().capture(world.pid))).toMatchObject({ empty: true, sameTarget: true });

      await world.run(({ fs, place, keep }) => {
        fs.closeSync(101);
        // The same number, another file.
        fs.closeSync(110);
        place(110, fs.openSync('/dev/full', 'r'));
        // Read from, through a copy: the position alone moves.
        fs.readSync(keep.file, Buffer.alloc(16), 0, 16, null);
        place(130, fs.openSync('/dev/zero', 'r'));
        place(131, 130);
      });
      const after = handle().capture(world.pid);
      const found = diff(before, after);
      const told = (rows: readonly { fd: unknown; path?: string | undefined }[]) =>
        rows.filter(({ fd }) => Number(fd) >= 100).map(({ fd, path }) => `${fd} ${path}`);
      expect(told(found.opened)).toEqual(['110 /dev/full', '130 /dev/zero', '131 /dev/zero']);
      expect(told(found.closed)).toEqual(['101 /dev/zero', '110 /dev/null']);
      expect(found.changed.filter(({ after }) => Number(after.fd) >= 100)).toEqual([]);
      const group = found.groups().find(({ what, change }) => what === '/dev/zero' && change === 'opened')!;
      expect(group.rows.filter(({ fd }) => Number(fd) >= 100)).toHaveLength(2);
      const moved = diff(before, after, { position: true }).changed.find(({ after }) => after.fd === 120);
      expect(moved).toMatchObject({ members: ['pos'], before: { pos: 0 }, after: { pos: 16 } });
      // Two of one open file are one in both looks, where the backend tells that.
      const [first, second] = [...after.fdinfo()].filter(({ fd }) => fd === 130 || fd === 131);
      if (!proc) expect(first!.fileId).toBe(second!.fileId);
      // The second image, out of the first.
      expect(told(found.apply(before.fdinfo()))).toEqual(told([...after.fdinfo()]));
    });
  },
  BACKENDS.filter(({ name }) => !name.includes('by') && !name.includes('without')),
);
