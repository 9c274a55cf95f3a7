import { defineConfig } from 'vitest/config';

/** Virtual machines are fifty times slower: FDMAP_TEST_TIMEOUT_SCALE=50. */
const patience = Number(process.env.FDMAP_TEST_TIMEOUT_SCALE || 1);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/kernels/*.test.mjs'],
    globalSetup: ['test/helpers/build.ts', 'test/helpers/pins.ts'],
    setupFiles: ['test/helpers/setup.ts'],
    reporters: ['default', './test/helpers/skip-reporter.ts'],
    // A process for each file: descriptors, credentials and limits are the subject.
    pool: 'forks',
    isolate: true,
    // Results of earlier runs are kept nowhere: the tree may be another user's.
    cache: false,
    testTimeout: 60_000 * patience,
    hookTimeout: 120_000 * patience,
    teardownTimeout: 10_000 * patience,
    // A backend forced from outside is for users; the suite names its own.
    env: { FDMAP_BACKEND: '', FDMAP_BPFFS: '' },
  },
});
