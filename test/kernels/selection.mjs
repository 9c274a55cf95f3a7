/**
 * What of the project's suite runs in which boot, and what may be skipped there. Everything, in every
 * boot that can run it: `npm run test:kernels -- --all`.
 */

/**
 * The live suite of fdmap and pidmap, fdinfo, pidinfo, install and its access matrix: parts of the
 * paths of test files. The plain boot of each kernel runs it.
 */
export const subjects = ['backends/', 'calls/fdinfo/', 'calls/pidinfo', 'install/'];

/** What the special boots are about. */
export const specialSubjects = {
  // Two readers on one processor, and whatever they could see of each other.
  preempt: ['backends/contexts', 'backends/readers', 'install/access', 'install/strangers'],
  // The guards of shared programs, and what is calibrated at installation.
  guards: ['install/access', 'install/apparmor', 'install/guards', 'install/strangers', 'install/markers'],
  integrity: ['backends/contexts', 'install/streams', 'install/install.'],
  // Nothing but /proc.
  confidentiality: ['backends/pidmap', 'calls/fdinfo/', 'calls/pidinfo', 'cli/doctor'],
  hidepid: ['install/hidepid.', 'install/policy.'],
};

/**
 * The slowest files, dozens of installations each: in a run that makes the special boots of a kernel
 * these run them, so that its plain boot need not.
 */
export const inSpecialBoots = ['install/hidepid.', 'install/install.', 'install/markers.', 'install/policy.'];

/**
 * The slowest files of all boots: a short run (`--short`, a quarter of an hour of two processors, for
 * CI) leaves them to a whole one.
 */
export const notInShort = [
  'backends/access.',
  'backends/resources.',
  'calls/pidinfo-nested.',
  'calls/pidinfo-places.',
  'install/hidepid.',
  'install/install.',
  'install/lent.',
  'install/markers.',
  'install/text.',
];

/** What no kernel can change, or no guest can run: not part of the suite there, but with --file. */
export const sameEverywhere = [
  'test/abi/',
  'backends/probe.',
  'backends/tier.',
  'calls/arguments.',
  // Compared with programs that a guest does not have, and on a mount that only a host needs to survive.
  'calls/fdinfo/truth.',
  'calls/fdinfo/dead-mount.',
  'calls/pool.',
  'cli/docs.',
  'cli/terminal.',
  'cli/usage.',
  'install/examples.',
  'install/languages.',
];

/**
 * The ways to the kernel that are worth the time there; the others are the same as one of these: before
 * 6.10 the kernel's own way is the iterators, before 6.13 it is the one without bpf_task_from_vpid,
 * which later kernels therefore need not be asked about again.
 * @param {import('./plan.mjs').Tier} tier
 * @param {boolean} [short] each program once, and what is the same on every kernel not at all
 * @returns {string[]} names of test/helpers/backends.ts
 */
export function backendsOf(tier, short = false) {
  if (tier === 'C') return ['proc'];
  if (short) return ['pinned', 'kernel'];
  const both = ['pinned', 'pinned by streams', 'kernel'];
  return tier === 'B' ? [...both, 'proc'] : [...both, 'kernel by iterators', 'proc'];
}

/**
 * Machines of another architecture have Node and busybox, and no programs of this machine.
 * @param {string} architecture Debian's name
 * @returns {string[]} needs that are not met there
 */
export const lackingOn = (architecture) =>
  architecture === 'amd64'
    ? []
    : ['gcc', 'python3', 'bash', 'prlimit', 'setpriv', 'user-ns', 'unshare', 'mount-ns'];

/**
 * A test that is skipped for any other reason fails the run. Each is one cause, and is so only where the
 * tier or the boot has it.
 * @type {{reason: RegExp, tiers?: import('./plan.mjs').Tier[], boots?: string[]}[]}
 */
const statedSkips = [
  { reason: /^FDMAP_TEST_BACKEND names others$/ },
  { reason: /^needs tier-a: /, tiers: ['B', 'C'] },
  { reason: /^needs (kernel|pinned): /, tiers: ['C'] },
  { reason: /^needs user: root$/ },
  // A boot with one of these modules has not the other; elsewhere both are active.
  { reason: /^needs landlock: Landlock is not active$/, boots: ['lsm=apparmor'] },
  { reason: /^needs apparmor: AppArmor is not active$/, boots: ['lsm=landlock'] },
  // A guest is all in memory.
  { reason: /^needs a file system that is not in memory$/ },
  { reason: /^\/proc has no identity of open files$/ },
  { reason: /^a stream has no threads of their own$/ },
  { reason: /^a stream of the machine has everything$/ },
  { reason: /^\/proc\/net does not tell it$/ },
  { reason: /^the kernel has no Multipath TCP$/ },
  { reason: /^a stream of places needs a question$/ },
  { reason: /^a world opens a backend by a name that open\(\) knows$/ },
  { reason: /^is about no \/proc$/ },
];

/**
 * @param {string} reason
 * @param {string} boot
 * @param {import('./plan.mjs').Tier} tier
 * @param {string} architecture
 * @returns {boolean}
 */
export function isStatedSkip(reason, boot, tier, architecture) {
  if (lackingOn(architecture).some((need) => reason.startsWith(`needs ${need}: `))) return true;
  return statedSkips.some(
    (skip) =>
      skip.reason.test(reason) &&
      (!skip.tiers || skip.tiers.includes(tier)) &&
      (!skip.boots || skip.boots.includes(boot)),
  );
}
