import { expectedTier, plain } from './plan.mjs';
import { isStatedSkip } from './selection.mjs';
import { doctorRows, featureRows, productRows } from './stated.mjs';

/**
 * One line of the table.
 * @typedef {object} Row
 * @property {string} kernel
 * @property {string} boot
 * @property {string} feature
 * @property {'ok' | 'FAIL' | 'skipped' | 'early' | 'no'} result
 * @property {number | undefined} seconds
 * @property {string} detail
 */

/**
 * @param {string} text
 * @returns {any} the JSON in it, or undefined
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What the suite did: a row for each test file. A skip for a reason that selection.mjs does not state
 * is a failure.
 * @param {string} step
 * @param {Record<string, any>[]} events
 * @param {(reason: string) => boolean} isStated
 * @returns {Omit<Row, 'kernel' | 'boot'>[]}
 */
function fileRows(step, events, isStated) {
  return events
    .filter((event) => event.type === 'file' && event.step === step)
    .map((event) => {
      const odd = event.skips.find((/** @type {{note: string}} */ { note }) => !isStated(note));
      const counts = `${event.passed} passed, ${event.failed} failed, ${event.skipped} skipped`;
      return {
        feature: `${step}: ${event.file.replace(/^test\//, '').replace(/\.test\.js$/, '')}`,
        result: event.failures.length > 0 || odd ? 'FAIL' : event.passed > 0 ? 'ok' : 'skipped',
        seconds: event.ms / 1000,
        detail: odd ? `${counts}; not stated: ${odd.note || odd.name}` : counts,
      };
    });
}

/**
 * @param {Record<string, any>} step of the suite
 * @param {Record<string, any>[]} events
 * @param {(reason: string) => boolean} isStated
 * @returns {Omit<Row, 'kernel' | 'boot'>[]}
 */
function suiteRows(step, events, isStated) {
  const files = fileRows(step.name, events, isStated);
  const tested = files.some(({ result }) => result === 'ok');
  // The runner's own verdict counts too: errors outside of tests, a time limit, nothing found to run.
  const detail = step.timedOut ? 'time limit' : `${files.length} files, exit ${step.code}`;
  return [
    ...files,
    {
      feature: step.name,
      result: step.code === 0 && tested ? 'ok' : 'FAIL',
      seconds: step.seconds,
      detail: tested ? detail : `${detail}, nothing was tested`,
    },
  ];
}

/**
 * @param {import('./catalogue.mjs').Kernel} kernel
 * @param {import('./plan.mjs').Variant} variant
 * @param {import('./plan.mjs').Step[]} planned
 * @param {import('./qemu.mjs').Boot} outcome
 * @returns {Row[]}
 */
export function toRows(kernel, variant, planned, outcome) {
  /** @type {Omit<Row, 'kernel' | 'boot'>[]} */
  const rows = [];
  const tier = expectedTier(kernel.version, variant);
  /** @param {string} reason */
  const isStated = (reason) => isStatedSkip(reason, variant.name, tier, kernel.architecture);
  for (const { name } of planned) {
    const step = outcome.events.find((event) => event.type === 'step' && event.name === name);
    if (!step) {
      // A machine that died in the middle leaves test files that are done and a step that is not.
      rows.push(...fileRows(name, outcome.events, isStated));
      rows.push({ feature: name, result: 'FAIL', seconds: undefined, detail: 'did not come to its end' });
      continue;
    }
    if (name === 'suite') {
      rows.push(...suiteRows(step, outcome.events, isStated));
      continue;
    }
    const good = step.code === 0;
    rows.push({
      feature: name,
      result: good ? 'ok' : 'FAIL',
      seconds: step.seconds,
      detail: good ? '' : step.timedOut ? 'time limit' : `exit ${step.code}`,
    });
    if (name === 'probe' && good) {
      // The kernel is the same in its other boots: there, only what differs from the statement counts.
      const judged = featureRows(kernel.version, parse(step.stdout));
      rows.push(
        ...judged.filter(({ result }) => variant === plain || result === 'FAIL' || result === 'early'),
      );
    }
    if (name === 'product' && good) rows.push(...productRows(kernel.version, tier, parse(step.stdout)));
    if (name === 'doctor' && good) rows.push(...doctorRows(kernel.version, tier, parse(step.stdout)));
  }
  rows.push(...factRows(variant, outcome.events.find(({ type }) => type === 'guest') ?? {}));
  rows.push({
    feature: 'boot',
    result: outcome.trouble.length === 0 ? 'ok' : 'FAIL',
    seconds: outcome.seconds,
    detail:
      outcome.trouble.length === 0
        ? `${outcome.rss} MiB, ${outcome.cpu.toFixed(0)} s of processor`
        : outcome.trouble[0].slice(0, 100),
  });
  return rows.map((row) => ({ kernel: kernel.version, boot: variant.name, ...row }));
}

/**
 * @param {import('./plan.mjs').Variant} variant
 * @param {Record<string, any>} guest
 * @returns {Omit<Row, 'kernel' | 'boot'>[]}
 */
function factRows(variant, guest) {
  return Object.entries(variant.facts ?? {}).map(([name, pattern]) => ({
    feature: `boot: ${name}`,
    result: pattern.test(guest[name] ?? '') ? 'ok' : 'FAIL',
    seconds: undefined,
    detail: guest[name] ?? '',
  }));
}

/**
 * What went wrong, at length: for below the table.
 * @param {import('./qemu.mjs').Boot} outcome
 * @returns {string[]}
 */
export function details(outcome) {
  const texts = [...outcome.trouble];
  for (const event of outcome.events) {
    if (event.type === 'file')
      for (const { name, error } of event.failures)
        texts.push(`${event.step}: ${event.file}: ${name}\n${error}`);
    if (event.type === 'run')
      texts.push(...event.errors.map((/** @type {string} */ error) => `${event.step}: ${error}`));
    if (event.type === 'step' && event.code !== 0 && event.tail)
      texts.push(`${event.name}: exit ${event.code}\n${event.tail}`);
  }
  return texts;
}
