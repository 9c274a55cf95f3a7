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
 * @property {string[] | undefined} require what the suite must find there, by the names of
 *   test/helpers/needs.ts, so that nothing is skipped for want of it; undefined: the suite is not run
 * @property {string[]} files parts of the suite, by path: selection.mjs
 * @property {string} [script] of guest/, in the place of the suite
 */

import { guestProfile } from './apparmor.mjs';
import { compareVersions } from './catalogue.mjs';
import { guestPrograms } from './programs.mjs';
import {
  backendsOf,
  inSpecialBoots,
  lackingOn,
  notInShort,
  sameEverywhere,
  specialSubjects,
  subjects,
} from './selection.mjs';

const machine = [
  ...['root', 'proc', 'other-uid', 'unshare', 'mount-ns', 'user-ns', 'setpriv', 'bash', 'python3', 'gcc'],
  ...['fuse', 'cgroup2'],
];
const everything = [...machine, 'kernel', 'pinned'];

/** @type {Variant} */
export const plain = { name: 'plain', cmdline: [], proc: '', require: everything, files: subjects };

/** @type {Variant[]} */
export const special = [
  // Two readers on one CPU interrupt each other in the middle of a program only here.
  {
    name: 'preempt=full',
    cmdline: ['preempt=full'],
    proc: '',
    facts: { preempt: /\(full\)/ },
    files: specialSubjects.preempt,
    require: everything,
  },
  {
    name: 'lsm=landlock',
    cmdline: ['lsm=landlock,lockdown,yama,bpf', 'apparmor=0'],
    proc: '',
    facts: { lsm: /landlock(?!.*apparmor)/ },
    files: specialSubjects.guards,
    require: everything,
  },
  {
    name: 'lsm=apparmor',
    cmdline: ['lsm=lockdown,yama,apparmor,bpf', 'apparmor=1'],
    proc: '',
    facts: { lsm: /^(?!.*landlock).*apparmor/ },
    files: specialSubjects.guards,
    require: [...everything, 'apparmor'],
  },
  {
    name: 'lockdown=integrity',
    cmdline: ['lockdown=integrity'],
    proc: '',
    facts: { lockdown: /\[integrity\]/ },
    files: specialSubjects.integrity,
    require: everything,
  },
  // Programs may not read the kernel's memory here: /proc is all there is.
  {
    name: 'lockdown=confidentiality',
    cmdline: ['lockdown=confidentiality'],
    proc: '',
    facts: { lockdown: /\[confidentiality\]/ },
    files: specialSubjects.confidentiality,
    tier: 'C',
    require: machine,
  },
  {
    name: 'hidepid=2',
    cmdline: [],
    proc: 'hidepid=2',
    facts: { proc: /hidepid=(2|invisible)/ },
    files: specialSubjects.hidepid,
    require: everything,
  },
  // The suite compares with /proc: it makes places without one itself, in namespaces. Here, nobody has one.
  {
    name: 'no /proc',
    cmdline: [],
    proc: 'none',
    facts: { proc: /^none$/ },
    files: [],
    require: undefined,
    script: 'noproc',
  },
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

/** How long a step may take, in seconds, on a host that has other work too: against those that hang. */
const probeLimit = 120;
const suiteLimit = 2400;

/**
 * What a run is asked for beyond the plan: all of the suite, the files that are named, or less than
 * everything. `specialToo`: the run makes the special boots of this kernel as well.
 * @typedef {{all: boolean, files: string[], short?: boolean, specialToo?: boolean}} Wanted
 */

/**
 * The suite is the project's own, with the backends that the kernel has.
 * @param {string[]} require
 * @param {Tier} tier
 * @param {string[]} files
 * @param {Wanted} wanted
 * @param {string} architecture
 * @returns {Step}
 */
function suite(require, tier, files, wanted, architecture) {
  const named = wanted.files.length > 0 ? wanted.files : wanted.all ? [] : files;
  const elsewhere = wanted.specialToo && named === subjects ? inSpecialBoots : [];
  const slow = wanted.short ? notInShort : [];
  const unwanted = wanted.files.length > 0 ? [] : [...new Set([...elsewhere, ...slow, ...sameEverywhere])];
  const lacking = lackingOn(architecture);
  const needs = [...require, ...(tier === 'A' ? ['tier-a'] : [])].filter((need) => !lacking.includes(need));
  return {
    name: 'suite',
    argv: [
      ...['node', '--no-warnings', 'test/kernels/guest/suite.mjs', ...named],
      ...unwanted.map((part) => `--not=${part}`),
    ],
    env: {
      FDMAP_TEST_REQUIRE: needs.join(','),
      FDMAP_TEST_BACKEND: wanted.all ? '' : backendsOf(tier, wanted.short).join(','),
    },
    limit: suiteLimit,
  };
}

/**
 * What the project has to run; `programs`: the C programs of the suite, compiled; `profile`: one of
 * AppArmor.
 * @typedef {{suite: boolean, product: boolean, doctor: boolean, programs: boolean, profile: boolean}} Has
 */

/**
 * @param {Variant} variant
 * @param {Has} has
 * @param {Tier} tier
 * @param {Wanted} wanted
 * @param {string} architecture
 * @returns {Step[]}
 */
export function steps(variant, has, tier, wanted, architecture) {
  /** @type {Step[]} */
  const list = [
    { name: 'node', argv: ['node', 'test/kernels/guest/hello.mjs'], limit: probeLimit },
    { name: 'probe', argv: ['node', 'test/kernels/guest/probe.mjs'], limit: probeLimit },
  ];
  if (has.product)
    list.push({ name: 'product', argv: ['node', 'test/kernels/guest/product.mjs'], limit: probeLimit });
  if (has.doctor)
    list.push({ name: 'doctor', argv: ['node', 'dist/cli/main.js', 'doctor', '--json'], limit: probeLimit });
  if (has.product && variant.script)
    list.push({
      name: variant.script,
      argv: ['node', '--no-warnings', `test/kernels/guest/${variant.script}.mjs`],
      limit: probeLimit,
    });
  if (has.suite && variant.require)
    list.push(suite(variant.require, tier, variant.files, wanted, architecture));
  return list;
}

/**
 * What every step sees: small counts, long waits.
 * @param {Has} has
 * @returns {Record<string, string>}
 */
export const guestEnvironment = (has) => ({
  FDMAP_TEST_SCALE: '0.05',
  FDMAP_TEST_TIMEOUT_SCALE: '4',
  ...(has.programs ? { FDMAP_TEST_BINARIES: guestPrograms } : {}),
  ...(has.profile ? { FDMAP_TEST_APPARMOR: guestProfile } : {}),
  CI: '1',
  NO_COLOR: '1',
});
