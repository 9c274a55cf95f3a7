/**
 * Once before all files: the calls installed in a directory of the run's own, so
 * that the suite has a pinned backend. FDMAP_TEST_BPFFS names one that is there
 * already (an ordinary user cannot install).
 */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, uninstall } from '../../src/calls/install.ts';

export default async function pins(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.FDMAP_TEST_BPFFS || process.geteuid?.() !== 0) return undefined;
  const parent = mkdtempSync(join(tmpdir(), 'fdmap-test-'));
  const at = join(parent, 'fdmap');
  // Every user of the tests goes through here.
  chmodSync(parent, 0o755);
  try {
    await install({ at, text: true });
  } catch (error) {
    rmSync(parent, { recursive: true });
    // Where programs cannot be loaded nothing can be pinned: those tests are skipped, with this reason.
    process.env.FDMAP_TEST_BPFFS_ERROR = (error as Error).message;
    return undefined;
  }
  process.env.FDMAP_TEST_BPFFS = at;
  return async () => {
    await uninstall({ at });
    rmSync(parent, { recursive: true });
  };
}
