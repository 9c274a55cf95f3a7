// A vitest reporter: one line of JSON for each test file, on the guest's result console, as soon as
// the file is done, so that a machine that dies later still says what it had found out.
import { openSync, writeSync } from 'node:fs';

const out = openSync(process.env.FDMAP_RESULTS ?? '/dev/stderr', 'w');

/** @param {Record<string, unknown>} event */
function report(event) {
  writeSync(out, `@fdmap ${JSON.stringify({ ...event, step: process.env.FDMAP_STEP })}\n`);
}

/** @param {readonly {message?: string, stack?: string}[] | undefined} errors */
const describe = (errors) => (errors ?? []).map((e) => (e.stack ?? e.message ?? String(e)).slice(0, 1500));

export default class GuestReporter {
  /** @param {import('vitest/node').TestModule} module */
  onTestModuleEnd(module) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures = describe(module.errors()).map((error) => ({ name: module.moduleId, error }));
    // A hook that fails skips the tests of its block: the error is the block's.
    for (const suite of module.children.allSuites())
      for (const error of describe(suite.errors())) failures.push({ name: suite.fullName, error });
    const skips = [];
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'pending') continue;
      counts[result.state]++;
      if (result.state === 'failed')
        failures.push({ name: test.fullName, error: describe(result.errors).join('\n') });
      if (result.state === 'skipped') skips.push({ name: test.fullName, note: result.note ?? '' });
    }
    const ms = Math.round(module.diagnostic().duration);
    report({ type: 'file', file: module.relativeModuleId, ms, ...counts, failures, skips });
  }

  /**
   * @param {readonly unknown[]} _modules
   * @param {readonly {message?: string, stack?: string}[]} errors outside of any test
   */
  onTestRunEnd(_modules, errors) {
    report({ type: 'run', errors: describe(errors) });
  }
}
