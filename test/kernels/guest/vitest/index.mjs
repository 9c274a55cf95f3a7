// What the suite imports as "vitest", in a guest: the same functions, from the packages that vitest
// itself has them from, without its server, its transformations and its processes. Under emulation
// those take longer than the tests.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  ChaiStyleAssertions,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import { getCurrentTest } from '@vitest/runner';

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFailed,
  onTestFinished,
  test,
} from '@vitest/runner';

for (const plugin of [JestExtend, JestChaiExpect, ChaiStyleAssertions, JestAsymmetricMatchers])
  chai.use(plugin);

/** @type {any} */
export const expect = (/** @type {unknown} */ value, /** @type {string | undefined} */ message) => {
  const assertion = chai.expect(value, message);
  const current = getCurrentTest();
  // With its test an assertion that nobody awaits is found.
  return current ? /** @type {any} */ (assertion).withTest(current) : assertion;
};
Object.assign(expect, chai.expect, /** @type {any} */ (globalThis)[ASYMMETRIC_MATCHERS_OBJECT]);
setState({ assertionCalls: 0 }, expect);
expect.extend = (/** @type {any} */ matchers) => /** @type {any} */ (chai.expect).extend(expect, matchers);
expect.extend(customMatchers);
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true });
