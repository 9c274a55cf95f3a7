// Runs test files of the project's suite one after the other in this process: suite.mjs FILE…, with
// parts of their paths; none means all. A line of JSON for each goes to the guest's result console as
// soon as the file is done, so that a machine that dies later still says what it had found out.
import { openSync, readdirSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTests } from '@vitest/runner';
import { getFullName, getTests } from '@vitest/runner/utils';
import project from '../../../vitest.config.js';

const root = resolve(import.meta.dirname, '../../..');
const out = openSync(process.env.FDMAP_RESULTS ?? '/dev/stderr', 'w');

/** Tests that took as many milliseconds are told of on the console. */
const SLOW = 2000;

/** @param {Record<string, unknown>} event */
function report(event) {
  writeSync(out, `@fdmap ${JSON.stringify({ ...event, step: process.env.FDMAP_STEP })}\n`);
}

/** @param {readonly {message?: string, stack?: string}[] | undefined} errors */
const describe = (errors) => (errors ?? []).map((e) => (e.stack ?? e.message ?? String(e)).slice(0, 1500));

/** @param {string} file @returns {string} as it is called in the guest: ../transpile.mjs */
const compiled = (file) => join(root, file.replace(/\.ts$/, '.js'));

/** @type {string[]} */
const errors = [];
for (const event of ['unhandledRejection', 'uncaughtException'])
  process.on(event, (/** @type {any} */ error) => errors.push(...describe([error])));

const settings = project.test ?? {};
for (const [name, value] of Object.entries(settings.env ?? {})) process.env[name] = String(value);

/** @type {any} what @vitest/runner asks of its host */
const host = {
  config: {
    root,
    setupFiles: [settings.setupFiles ?? []].flat().map(compiled),
    passWithNoTests: false,
    allowOnly: false,
    sequence: { hooks: 'stack', setupFiles: 'list', shuffle: false, concurrent: false, seed: 0 },
    maxConcurrency: 1,
    testTimeout: settings.testTimeout,
    hookTimeout: settings.hookTimeout,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    strictTags: true,
  },
  /** @param {string} path @param {'setup' | 'collect'} source */
  async importFile(path, source) {
    // What every file has anew, in spite of the cache of modules.
    await import(`${pathToFileURL(path)}${source === 'setup' ? `?${turn++}` : ''}`);
  },
  /** @param {string} _name @param {any} attributes @param {any} [call] */
  trace: (_name, attributes, call) => (call ?? attributes)(),
};
let turn = 0;

/** @param {string} path */
async function run(path) {
  const file = path.slice(root.length + 1);
  const started = performance.now();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  const skips = [];
  const [module] = await startTests([path], host);
  for (const error of describe(module?.result?.errors)) failures.push({ name: file, error });
  // A hook that fails skips the tests of its block: the error is the block's.
  const blocks = [...(module?.tasks ?? [])];
  for (let block = blocks.shift(); block; block = blocks.shift()) {
    if (block.type !== 'suite') continue;
    blocks.push(...block.tasks);
    for (const error of describe(block.result?.errors)) failures.push({ name: block.name, error });
  }
  for (const test of module ? getTests(module) : []) {
    const name = getFullName(test);
    /** @type {import('@vitest/runner').TaskResult & {note?: string}} */
    const result = test.result ?? { state: 'skip' };
    const { state, note, duration = 0, errors: why } = result;
    if (state === 'pass') counts.passed++;
    else if (state === 'fail') failures.push({ name, error: describe(why).join('\n') });
    else skips.push({ name, note: note ?? '' });
    if (duration > SLOW) console.log(`${(duration / 1000).toFixed(1)} s: ${name}`);
  }
  counts.failed = failures.length;
  counts.skipped = skips.length;
  report({ type: 'file', file, ms: Math.round(performance.now() - started), ...counts, failures, skips });
  return failures.length === 0;
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--not='));
const unwanted = process.argv.slice(2).flatMap((argument) => /^--not=(.*)/.exec(argument)?.[1] ?? []);
/** @param {string} path @param {string[]} parts */
const has = (path, parts) => parts.some((part) => path.includes(part));
const files = readdirSync(join(root, 'test'), { recursive: true })
  .map((name) => join(root, 'test', String(name)))
  .filter((path) => path.endsWith('.test.js'))
  .filter((path) => (wanted.length === 0 || has(path, wanted)) && !has(path, unwanted))
  .sort();

/** @type {(() => unknown)[]} */
const endings = [];
for (const file of [settings.globalSetup ?? []].flat()) {
  // dist/ came ready, and there is no compiler here.
  if (file.endsWith('/build.ts')) continue;
  const ending = await (await import(compiled(file))).default();
  if (ending) endings.unshift(ending);
}
console.log(`${files.length} files, ready after ${(performance.now() / 1000).toFixed(1)} s`);
let good = files.length > 0;
for (const file of files) good = (await run(file)) && good;
for (const end of endings) await end();
report({ type: 'run', errors });
process.exit(good && errors.length === 0 ? 0 : 1);
