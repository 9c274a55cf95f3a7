/** Signals that come while programs are loaded. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { needs } from '../helpers/needs.ts';

needs('kernel').test(
  'programs load under a profiler, whose signals come faster than the verifier ends',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'fdmap-test-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const script = `
    import { open } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url))};
    console.log(open({ backend: 'kernel' }).fdmap().length > 2);`;
    // microseconds
    const flags = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', directory];
    const args = [...flags, '--input-type=module', '-e', script];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toBe('true\n');
  },
);
