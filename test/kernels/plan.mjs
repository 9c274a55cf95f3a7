/**
 * What is booted and what runs there.
 *
 * @typedef {'A' | 'B' | 'C'} Tier what the kernel backend can do: everything, iterators, nothing
 *
 * @typedef {object} Variant one way to boot a kernel
 * @property {string} name
 * @property {string[]} cmdline added to the kernel's command line
 * @property {string} proc mount options of /proc, or "none" for no /proc at all
 * @property {Record<string, RegExp>} [facts] what the guest must say of itself, so that a boot parameter
 *   that a kernel ignores is not taken for one that was tested
 * @property {Tier} [tier] where it is not the kernel's own
 * @property {string[]} backends which the suite must run with
 */

import { compareVersions } from './catalogue.mjs';

/** @type {Variant} */
export const plain = { name: 'plain', cmdline: [], proc: '', backends: ['kernel', 'proc'] };

/** @type {Variant[]} */
export const special = [
  // Two readers on one CPU interrupt each other in the middle of a program only here.
  {
    name: 'preempt=full',
    cmdline: ['preempt=full'],
    proc: '',
    facts: { preempt: /\(full\)/ },
    backends: ['kernel'],
  },
  {
    name: 'lsm=landlock',
    cmdline: ['lsm=landlock,lockdown,yama,bpf', 'apparmor=0'],
    proc: '',
    facts: { lsm: /landlock(?!.*apparmor)/ },
    backends: ['kernel'],
  },
  {
    name: 'lsm=apparmor',
    cmdline: ['lsm=lockdown,yama,apparmor,bpf', 'apparmor=1'],
    proc: '',
    facts: { lsm: /^(?!.*landlock).*apparmor/ },
    backends: ['kernel'],
  },
  {
    name: 'lockdown=integrity',
    cmdline: ['lockdown=integrity'],
    proc: '',
    facts: { lockdown: /\[integrity\]/ },
    backends: ['kernel'],
  },
  // Programs may not read the kernel's memory here: /proc is all there is.
  {
    name: 'lockdown=confidentiality',
    cmdline: ['lockdown=confidentiality'],
    proc: '',
    facts: { lockdown: /\[confidentiality\]/ },
    tier: 'C',
    backends: ['proc'],
  },
  {
    name: 'hidepid=2',
    cmdline: [],
    proc: 'hidepid=2',
    facts: { proc: /hidepid=(2|invisible)/ },
    backends: ['kernel', 'proc'],
  },
  { name: 'no /proc', cmdline: [], proc: 'none', facts: { proc: /^none$/ }, backends: ['kernel'] },
];

/** @type {Variant[]} */
export const variants = [plain, ...special];

/** What runs when nothing is asked for; special boots are made with one of them. */
export const defaultVersions = ['6.1', '6.12', 'newest'];
export const specialVersion = '6.12';

/**
 * @param {string} version of the kernel
 * @param {Variant} variant
 * @returns {Tier} what `fdmap doctor` must find there
 */
export function expectedTier(version, variant) {
  if (variant.tier) return variant.tier;
  if (compareVersions(version, '6.10') >= 0) return 'A';
  return compareVersions(version, '6.1') >= 0 ? 'B' : 'C';
}

/**
 * @typedef {{name: string, argv: string[], env?: Record<string, string>, limit: number}} Step
 */

/** How long a step may take, in seconds of an emulated machine. */
const probeLimit = 60;
const suiteLimit = 420;

/**
 * The suite is the project's own. One worker: the guest's processors are emulated by one thread.
 * @param {string} backend
 * @param {Record<string, string>} env
 * @param {string[]} files
 * @returns {Step}
 */
function suite(backend, env, files) {
  return {
    name: `suite ${backend}`,
    argv: [
      'node',
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      '--exclude=test/kernels/**',
      '--maxWorkers=1',
      '--testTimeout=60000',
      '--hookTimeout=120000',
      '--reporter=./test/kernels/guest/reporter.mjs',
      '--reporter=default',
    ],
    env: { FDMAP_BACKEND: backend, ...env },
    limit: suiteLimit,
  };
}

/**
 * @param {Variant} variant
 * @param {{suite: boolean, product: boolean, doctor: boolean, files: string[]}} has what the project has to run
 * @returns {Step[]}
 */
export function steps(variant, has) {
  /** @type {Step[]} */
  const list = [
    { name: 'node', argv: ['node', 'test/kernels/guest/hello.mjs'], limit: probeLimit },
    { name: 'probe', argv: ['node', 'test/kernels/guest/probe.mjs'], limit: probeLimit },
  ];
  if (has.product)
    list.push({ name: 'product', argv: ['node', 'test/kernels/guest/product.mjs'], limit: probeLimit });
  if (has.doctor)
    list.push({ name: 'doctor', argv: ['node', 'dist/cli/main.js', 'doctor', '--json'], limit: probeLimit });
  if (has.suite)
    for (const backend of variant.backends)
      list.push(suite(backend, backend === 'kernel' ? { FDMAP_TEST_REQUIRE: 'kernel,root' } : {}, has.files));
  return list;
}

/** What every step sees. */
export const guestEnvironment = { FDMAP_TEST_SCALE: '0.05', CI: '1', NO_COLOR: '1' };
