import { features, programs, verdict } from './features.mjs';

/**
 * What a guest found out, held against what features.mjs states.
 *
 * @typedef {Omit<import('./rows.mjs').Row, 'kernel' | 'boot'>} Row
 * @typedef {import('./plan.mjs').Tier} Tier
 *
 * @typedef {object} Answer
 * @property {boolean | null} works null: it could not be tried
 * @property {string} [error] the kernel's words
 * @property {number} [seconds]
 */

/** @param {string} feature @param {string} detail @returns {Row} */
const failure = (feature, detail) => ({ feature, result: 'FAIL', seconds: undefined, detail });

/**
 * @param {string} log of the verifier, which ends with statistics
 * @returns {string} the line that says why
 */
function lastWords(log) {
  const lines = log.split('\n').filter((line) => line !== '' && !line.startsWith('processed '));
  return lines.at(-1) ?? '';
}

/**
 * @param {string} feature
 * @param {string} version of the kernel
 * @param {string | undefined} since
 * @param {Answer | undefined} answer
 * @returns {Row}
 */
function statedRow(feature, version, since, answer) {
  if (answer === undefined) return failure(feature, `stated since ${since}, and not told of`);
  const { works, error = '', seconds } = answer;
  if (works === null) return failure(feature, `could not be tried: ${lastWords(error)}`);
  const found = verdict(version, since, works);
  const said = {
    ok: `since ${since}`,
    no: `since ${since}`,
    early: `works here, though stated only since ${since}`,
    missing: `stated since ${since}, but not here ${lastWords(error)}`.trim(),
    unstated: 'nothing is stated about it in test/kernels/features.mjs',
  };
  const result = found === 'missing' || found === 'unstated' ? 'FAIL' : found;
  return { feature, result, seconds, detail: said[found] };
}

/**
 * What is stated and was not told of, or is told of and not stated, is a failure as well: a list that
 * became empty must not pass for one without a fault.
 * @param {string} version of the kernel
 * @param {[name: string, since: string][]} stated
 * @param {Map<string, Answer>} found
 * @param {string} [prefix] of the names in the rows
 * @returns {Row[]}
 */
function statedRows(version, stated, found, prefix = '') {
  const names = stated.map(([name]) => name);
  const others = [...found.keys()].filter((name) => !names.includes(name));
  return [
    ...stated.map(([name, since]) => statedRow(`${prefix}${name}`, version, since, found.get(name))),
    ...others.map((name) => statedRow(`${prefix}${name}`, version, undefined, found.get(name))),
  ];
}

/**
 * @param {string} version of the kernel
 * @param {Record<string, boolean> | undefined} found what guest/probe.mjs printed
 * @returns {Row[]}
 */
export function featureRows(version, found) {
  const answers = Object.entries(found ?? {}).map(
    ([name, works]) => /** @type {[string, Answer]} */ ([name, { works }]),
  );
  return statedRows(
    version,
    features.map(({ id, since }) => [id, since]),
    new Map(answers),
  );
}

/**
 * @param {string} version of the kernel
 * @param {Tier} tier
 * @param {any} product what guest/product.mjs printed
 * @returns {Row[]}
 */
export function productRows(version, tier, product) {
  const rows = [tierRow('tier', tier, product?.tier)];
  // Where the kernel backend is not to be had, single programs may still load: nothing is stated of it.
  if (tier === 'C') return rows;
  /** @type {[string, {loads: boolean, ms: number, error: string}][]} */
  const told = Object.entries(product?.programs ?? {});
  const answers = told.map(
    ([name, { loads, ms, error }]) =>
      /** @type {[string, Answer]} */ ([
        name,
        { works: loads, error, seconds: loads ? ms / 1000 : undefined },
      ]),
  );
  return [...rows, ...statedRows(version, Object.entries(programs), new Map(answers), 'program ')];
}

/**
 * Doctor's answers, and the versions that it states itself.
 * @param {string} version of the kernel
 * @param {Tier} tier
 * @param {any} doctor what it printed
 * @returns {Row[]}
 */
export function doctorRows(version, tier, doctor) {
  const rows = [tierRow('doctor: tier', tier, doctor?.tier)];
  /** @type {{name: string, since: string, works: boolean | null, reason: string}[]} */
  const told = doctor?.features ?? [];
  /** @type {[string, string][]} */
  const stated = features.flatMap(({ doctor: name, since }) => (name === undefined ? [] : [[name, since]]));
  for (const [name, since] of stated) {
    const own = told.find((one) => one.name === name)?.since ?? since;
    if (own !== since) rows.push(failure(`doctor: ${name}`, `it says since ${own}, stated is ${since}`));
  }
  const answers = new Map(told.map(({ name, works, reason }) => [name, { works, error: reason }]));
  if (tier !== 'C') return [...rows, ...statedRows(version, stated, answers, 'doctor: ')];
  // No program may read the kernel here, and what follows from that is told of each; of each, though.
  const missing = stated.filter(([name]) => !answers.has(name));
  return [
    ...rows,
    ...missing.map(([name, since]) => statedRow(`doctor: ${name}`, version, since, undefined)),
  ];
}

/**
 * @param {string} feature
 * @param {string} expected
 * @param {string | undefined} found
 * @returns {Row}
 */
function tierRow(feature, expected, found) {
  if (found === expected) return { feature, result: 'ok', seconds: undefined, detail: expected };
  return failure(feature, `${found}, but stated ${expected}`);
}
