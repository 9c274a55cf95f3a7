#!/usr/bin/env node
// npm run test:kernels [-- VERSION…]: the suite on Debian's kernels, in virtual machines.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Apt } from './apt.mjs';
import { listKernels, selectKernel, series } from './catalogue.mjs';
import { Unavailable } from './exec.mjs';
import { features, programs } from './features.mjs';
import { parallelMachines, Workshop } from './machine.mjs';
import { cacheDir, root } from './paths.mjs';
import { defaultVersions, plain, special, specialVersion, variants } from './plan.mjs';
import { details, toRows } from './rows.mjs';
import { documentation, replaceBetweenMarkers, resultTable } from './table.mjs';

const usage = `npm run test:kernels [-- OPTION… VERSION…]

VERSION is the beginning of a kernel version (6.12, 6.12.95) or "newest";
none means ${defaultVersions.join(', ')}.

  --boot NAME    this boot only, may be repeated: ${variants.map(({ name }) => name).join(', ')};
                 without it: plain for each, the others with ${specialVersion} or the last VERSION
  --no-special   plain boots only
  --all          all of the suite in every boot, with every backend; without it: test/kernels/selection.mjs
  --short        in a quarter of an hour: without the slowest files, each program by one way
  --retry        a boot of which something failed is made once more; what failed at first stays a row
  --file NAME    test files with NAME in their path only, may be repeated
  --arch NAME    amd64 (default) or arm64
  --jobs N       machines at a time
  --json FILE    write the rows there
  --docs         write the tables of docs/kernels.md
  --list         say which kernels the archives have, and stop
`;

/** @param {string} text */
const say = (text) => process.stderr.write(`${text}\n`);

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      boot: { type: 'string', multiple: true, default: [] },
      'no-special': { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      retry: { type: 'boolean', default: false },
      file: { type: 'string', multiple: true, default: [] },
      arch: { type: 'string', default: 'amd64' },
      jobs: { type: 'string' },
      json: { type: 'string' },
      docs: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  for (const name of values.boot)
    if (!variants.some((variant) => variant.name === name))
      throw new Unavailable(`--boot ${name}: no such boot`);
  if (values.short && (values.all || values.docs))
    throw new Unavailable('--short is not everything: neither --all nor --docs goes with it');
  if (!['amd64', 'arm64'].includes(values.arch)) throw new Unavailable(`--arch ${values.arch}: not known`);
  return { ...values, versions: positionals };
}

/**
 * @param {ReturnType<typeof options>} wanted
 * @param {import('./catalogue.mjs').Kernel[]} kernels
 * @returns {{missing: string[], boots: {kernel: import('./catalogue.mjs').Kernel, variant: import('./plan.mjs').Variant}[]}}
 */
function plan(wanted, kernels) {
  const versions = wanted.versions.length > 0 ? wanted.versions : defaultVersions;
  const chosen = new Map();
  const missing = [];
  for (const version of versions) {
    const kernel = selectKernel(kernels, version);
    if (!kernel) missing.push(version);
    else if (chosen.has(kernel.release))
      say(`${version}: the archives have ${kernel.version}, named already`);
    else chosen.set(kernel.release, kernel);
  }
  const all = [...chosen.values()];
  const asked = variants.filter(({ name }) => wanted.boot.includes(name));
  const boots = all.flatMap((kernel) =>
    (asked.length > 0 ? asked : [plain]).map((variant) => ({ kernel, variant })),
  );
  if (asked.length === 0 && !wanted['no-special'] && all.length > 0) {
    const kernel = selectKernel(all, specialVersion) ?? all[all.length - 1];
    boots.push(...special.map((variant) => ({ kernel, variant })));
  }
  return { missing, boots };
}

/**
 * @param {{kernel: object, variant: object}[]} boots
 * @param {object} kernel
 * @returns {boolean} all special boots of it are among them
 */
const hasSpecial = (boots, kernel) =>
  special.every((variant) => boots.some((boot) => boot.kernel === kernel && boot.variant === variant));

async function main() {
  const wanted = options();
  if (wanted.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (wanted.list) {
    const kernels = await listKernels(new Apt(wanted.arch));
    for (const { version, release } of kernels) process.stdout.write(`${version}\t${release}\n`);
    return 0;
  }
  const started = Date.now();
  const workshop = await Workshop.open(wanted.arch, {
    all: wanted.all,
    files: wanted.file,
    short: wanted.short,
  });
  const { kernels } = workshop;
  const { missing, boots } = plan(wanted, kernels);
  if (!workshop.has.suite) say('no test file in test/: only the machines themselves are tried');
  if (!workshop.has.product) say('no dist/index.js: run `npm run build` first to have the product tried');
  else if (!workshop.has.doctor) say('no dist/cli/main.js: doctor is not asked');
  say(`${boots.length} boots with ${workshop.accel}`);

  /** @type {Map<object, {rows: import('./rows.mjs').Row[], texts: string[]}>} */
  const results = new Map();
  const queue = [...boots];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { kernel, variant } = next;
      const judge = () => bootAndJudge(workshop, kernel, variant, hasSpecial(boots, kernel));
      const first = await judge();
      results.set(next, wanted.retry && hasFailed(first) ? again(first, await judge()) : first);
    }
  };
  await Promise.all(Array.from({ length: Number(wanted.jobs ?? parallelMachines()) }, worker));

  const done = boots.flatMap((entry) => results.get(entry) ?? []);
  const rows = done.flatMap((result) => result.rows);
  for (const version of missing)
    rows.push(failedBoot(version, '', `not in the archives, which have ${series(kernels).join(', ')}`));
  process.stdout.write(`${resultTable(rows)}\n`);
  for (const text of done.flatMap((result) => result.texts)) say(text);
  const json = `${JSON.stringify(rows, null, 1)}\n`;
  writeFileSync(wanted.json ?? join(cacheDir(), 'results.json'), json);
  if (wanted.docs) writeDocs(rows);
  const failures = rows.filter(({ result }) => result === 'FAIL').length;
  say(`${rows.length} rows, ${failures} failed, ${((Date.now() - started) / 1000).toFixed(0)} s`);
  return failures > 0 || rows.length === 0 ? 1 : 0;
}

/**
 * @param {Workshop} workshop
 * @param {import('./catalogue.mjs').Kernel} kernel
 * @param {import('./plan.mjs').Variant} variant
 * @param {boolean} specialToo
 * @returns {Promise<{rows: import('./rows.mjs').Row[], texts: string[]}>}
 */
async function bootAndJudge(workshop, kernel, variant, specialToo) {
  const name = `${kernel.version} ${variant.name}`;
  const planned = workshop.steps(kernel, variant, specialToo);
  try {
    const outcome = await workshop.run(kernel, variant, planned);
    const rows = toRows(kernel, variant, planned, outcome);
    const failed = rows.filter(({ result }) => result === 'FAIL').length;
    say(`${name}: ${failed ? `${failed} failed` : 'ok'}, ${outcome.seconds.toFixed(0)} s`);
    const texts = details(outcome).map((text) => `== ${name}: ${text}`);
    if (failed) texts.push(`== ${name}: console in ${outcome.log}`);
    return { rows, texts };
  } catch (error) {
    // One machine that could not be made is a row; the others are still worth their answers.
    say(`${name}: ${error.message}`);
    const detail = error.message.split('\n')[0].slice(0, 100);
    return {
      rows: [failedBoot(kernel.version, variant.name, detail)],
      texts: [`== ${name}: ${error.stack}`],
    };
  }
}

/** @typedef {{rows: import('./rows.mjs').Row[], texts: string[]}} Judged */

/** @param {Judged} judged */
const hasFailed = ({ rows }) => rows.some(({ result }) => result === 'FAIL');

/**
 * An emulated machine on a busy host may miss a deadline; what fails twice is a failure.
 *
 * @param {Judged} first @param {Judged} second
 * @returns {Judged} the second, and what had failed before
 */
function again(first, second) {
  const failed = first.rows.filter(({ result }) => result === 'FAIL');
  const told = failed.map((row) => ({
    ...row,
    feature: `${row.feature} (first try)`,
    result: /** @type {const} */ ('no'),
  }));
  return { rows: [...told, ...second.rows], texts: [...first.texts, ...second.texts] };
}

/**
 * @param {string} kernel
 * @param {string} boot
 * @param {string} detail
 * @returns {import('./rows.mjs').Row}
 */
const failedBoot = (kernel, boot, detail) => ({
  kernel,
  boot,
  feature: 'boot',
  result: 'FAIL',
  seconds: undefined,
  detail,
});

/** @param {import('./rows.mjs').Row[]} rows */
function writeDocs(rows) {
  const page = join(root, 'docs/kernels.md');
  if (!existsSync(page)) throw new Unavailable('docs/kernels.md: no such page');
  writeFileSync(
    page,
    replaceBetweenMarkers(readFileSync(page, 'utf8'), documentation(rows, features, programs)),
  );
}

// An end by signal, too, takes the machines and their files with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Unavailable) && error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw error;
  say(error.message);
  process.exitCode = 2;
}
