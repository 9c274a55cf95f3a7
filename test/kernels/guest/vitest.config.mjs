// The project's configuration of the test runner, for a guest: the suite is JavaScript there
// (../transpile.mjs), so Node imports it without the runner's transformations, and dist/ is built.
import project from '../../../vitest.config.js';

const { globalSetup, ...test } = JSON.parse(JSON.stringify(project.test).replaceAll('.ts"', '.js"'));

export default {
  test: {
    ...test,
    // dist/ came ready, and there is no compiler here.
    globalSetup: globalSetup.filter((/** @type {string} */ file) => !file.endsWith('/build.js')),
    exclude: ['test/kernels/**'],
    experimental: { viteModuleRunner: false, nodeLoader: false },
    maxWorkers: 1,
    reporters: ['./test/kernels/guest/reporter.mjs', 'default'],
  },
};
