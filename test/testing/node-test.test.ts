/** `expectNoNewDescriptors.suite()` under the runner that comes with Node, in a process of its own. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const TESTING = new URL('../../dist/testing.js', import.meta.url).href;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fdmap-node-test-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a test file of these lines, and tells the exit code and what was reported. */
function nodeTest(...lines: string[]): { status: number | null; report: string } {
  const path = join(directory, 'suite.test.mjs');
  const head = [
    "import { after, before, describe, it } from 'node:test';",
    "import { closeSync, openSync } from 'node:fs';",
    "import { createServer } from 'node:net';",
    `import { expectNoNewDescriptors } from ${JSON.stringify(TESTING)};`,
  ];
  writeFileSync(path, [...head, ...lines].join('\n'));
  // Of a runner that runs within a runner Node would make a binary stream.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', path], {
    encoding: 'utf8',
    env,
  });
  return { status, report: stdout };
}

test('a clean file passes', () => {
  const { status, report } = nodeTest(
    'expectNoNewDescriptors.suite({ before, after });',
    "it('opens and closes', () => closeSync(openSync('/dev/zero')));",
    "it('a server', async () => {",
    "  const server = createServer().listen(0, '127.0.0.1');",
    "  await new Promise((resolve) => server.once('listening', resolve));",
    '  await new Promise((resolve) => server.close(resolve));',
    '});',
  );
  expect(report).toContain('# fail 0');
  expect(status).toBe(0);
});

test('a file that leaves one open fails, and is told which', () => {
  const { status, report } = nodeTest(
    'expectNoNewDescriptors.suite({ before, after }, { settle: 50 });',
    "it('passes itself', () => openSync('/dev/full'));",
  );
  expect(status).toBe(1);
  expect(report).toMatch(/1 new descriptor left open:\s+\d+ {2}file {2}\/dev\/full/);
});

test('of two suites only the one that leaks fails', () => {
  const { status, report } = nodeTest(
    "describe('clean', () => {",
    '  expectNoNewDescriptors.suite({ before, after }, { settle: 50 });',
    "  it('opens and closes', () => closeSync(openSync('/dev/zero')));",
    '});',
    "describe('leaking', () => {",
    '  expectNoNewDescriptors.suite({ before, after }, { settle: 50 });',
    "  it('passes itself', () => openSync('/dev/full'));",
    '});',
  );
  expect(status).toBe(1);
  expect(report).toMatch(/^ok \d+ - clean$/m);
  expect(report).toMatch(/^not ok \d+ - leaking$/m);
});
