/** docs/cli.md says what the command does. FDMAP_WRITE_DOCS=1 writes it, this test compares. */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parts } from './reference.ts';

const FILE = new URL('../../docs/cli.md', import.meta.url);

test('commands, options and columns in docs/cli.md are those of the command', async () => {
  const wanted = await parts();
  const places: string[] = [];
  const before = readFileSync(FILE, 'utf8');
  const after = before.replace(/<!-- generated: (\w+) -->\n.*?<!-- end -->/gs, (_, name: string) => {
    places.push(name);
    return `<!-- generated: ${name} -->\n\n${wanted.get(name)}\n\n<!-- end -->`;
  });
  expect(places.sort()).toEqual([...wanted.keys()].sort());
  if (process.env.FDMAP_WRITE_DOCS) writeFileSync(FILE, after);
  else expect(before).toBe(after);
});
