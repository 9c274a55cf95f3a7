/**
 * Where Landlock and AppArmor keep their word in cred->security. The offsets
 * depend on the order of the modules and are told nowhere, so they are measured:
 * a thread reads its words, puts itself into a Landlock domain, and reads again.
 */

import { readFileSync } from 'node:fs';
import * as abi from '../../abi/layout.gen.ts';
import { LSM_WORDS } from '../../loader/objects.gen.ts';
import { loadObject, type SharedConfig, unload } from '../../loader/skeleton.ts';
import { Runner } from '../../sys/bpf.ts';
import type { Door } from '../../sys/door.ts';
import { ENOSYS, EOPNOTSUPP, errnoOf } from '../../sys/errno.ts';
import { Memory } from '../../sys/memory.ts';
import { callOnThread } from '../../sys/thread.ts';
import { SYSCALLS } from '../../sys/uapi.gen.ts';
import { type SecurityModules, withoutGuard } from './modules.ts';

/** include/uapi/linux/prctl.h */
const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
/** include/uapi/linux/landlock.h: LANDLOCK_ACCESS_FS_EXECUTE, which every version has */
const HANDLED_ACCESS = 1n;
/**
 * A word behind the end of a blob belongs to another: it may change as ours does, by chance, and where
 * the allocator gives neighbours again and again, in every round. Those are behind ours: the first place
 * that is left is the one, for no other module in the blob has a word that does the same.
 */
const ROUNDS = 3;
/** More steps than there are generations: the first process. */
const INIT = 1000;

export type Guards = Pick<SharedConfig, 'landlockWord' | 'apparmor'>;

/** What could be measured, or in words why shared programs cannot be guarded. */
export type Measured = { readonly guards: Guards } | { readonly refused: string };

/** Needs the right to load programs. Five to fifty milliseconds. */
export async function measureGuards(door: Door, modules: SecurityModules): Promise<Measured> {
  const unguarded = withoutGuard(modules);
  if (unguarded.length > 0) {
    return { refused: `the security module ${unguarded.join(', ')} decides by rules of its own` };
  }
  const landlock = modules.names.includes('landlock');
  const apparmor = modules.names.includes('apparmor');
  if (!landlock && !apparmor) return { guards: {} };
  const loaded = loadObject(door, LSM_WORDS, { vpidLookup: false });
  try {
    const reader = new WordReader(door, loaded.programs.get('lsm_words')!);
    let guards: Guards = {};
    if (landlock) {
      const word = await landlockWord(door, reader);
      if (typeof word === 'string') return { refused: word };
      if (word !== undefined) guards = { landlockWord: word };
    }
    if (apparmor) {
      const label = await apparmorLabel(reader, guards.landlockWord);
      if (typeof label === 'string') return { refused: label };
      guards = { ...guards, apparmor: label };
    }
    return { guards };
  } finally {
    unload(door, loaded);
  }
}

class WordReader {
  readonly context: Memory;
  readonly runner: Runner;
  readonly #door: Door;
  readonly #program: number;

  constructor(door: Door, program: number) {
    this.#door = door;
    this.#program = program;
    this.context = new Memory(door, abi.SIZEOF_FDMAP_LSM);
    this.runner = new Runner(door, program, this.context, abi.SIZEOF_FDMAP_LSM);
  }

  /** A reader with memory of its own, for another thread. */
  another(): WordReader {
    return new WordReader(this.#door, this.#program);
  }

  get words(): BigUint64Array {
    const first = abi.FDMAP_LSM_WORDS >> 3;
    return this.context.u64.subarray(first, first + abi.FDMAP_LSM_ROOM);
  }

  /** Words of the caller, or of an ancestor; undefined where there are none. */
  read(ancestor: number): BigUint64Array | undefined {
    this.context.setU32(abi.FDMAP_LSM_ANCESTOR, ancestor);
    const result = this.runner.run();
    return result < 0 || this.failed ? undefined : this.words.slice();
  }

  get failed(): boolean {
    return this.context.i32[abi.FDMAP_LSM_ERROR >> 2] !== 0;
  }
}

/** Kernel addresses begin with ones: 0xffff with four levels of page tables, 0xff with five. */
const isAddress = (word: bigint) => word >> 56n === 0xffn;

/**
 * Offset in bytes; undefined when this kernel refuses to make a domain, so that
 * nobody is in one; in words what went wrong otherwise.
 */
async function landlockWord(door: Door, reader: WordReader): Promise<number | string | undefined> {
  const rounds: number[][] = [];
  while (rounds.length < ROUNDS) {
    const found = await wordsThatBecomeAddresses(door, reader);
    if (!Array.isArray(found)) return found;
    rounds.push(found);
  }
  return firstOfAll(rounds) ?? "the place of Landlock's domain could not be found";
}

/** The lowest offset that was found in every round. */
export function firstOfAll(rounds: readonly (readonly number[])[]): number | undefined {
  const [first = [], ...others] = rounds;
  return first.filter((offset) => others.every((found) => found.includes(offset))).sort((a, b) => a - b)[0];
}

async function wordsThatBecomeAddresses(
  door: Door,
  reader: WordReader,
): Promise<number[] | string | undefined> {
  const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];
  const before = reader.another();
  const after = reader.another();
  const ruleset = new Memory(door, 8);
  ruleset.u64[0] = HANDLED_ACCESS;
  const [first, privileges, descriptor, restricted, second] = await callOnThread([
    before.runner.asThreadCall(),
    { number: numbers.prctl, args: [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0] },
    { number: numbers.landlock_create_ruleset, args: [ruleset.address, 8, 0] },
    { number: numbers.landlock_restrict_self, args: [0, 0], results: { 0: 2 } },
    after.runner.asThreadCall(),
    { number: numbers.close, args: [0], results: { 0: 2 } },
  ]);
  ruleset.keep();
  // Not built in, or switched off at boot: then there are no domains.
  if (descriptor === -ENOSYS || descriptor === -EOPNOTSUPP) return undefined;
  if (
    first! < 0 ||
    privileges! < 0 ||
    descriptor! < 0 ||
    restricted! < 0 ||
    second! < 0 ||
    before.failed ||
    after.failed
  ) {
    return `Landlock's domain could not be measured (${[first, privileges, descriptor, restricted, second].join(', ')})`;
  }
  return [...after.words.keys()]
    .filter((i) => before.words[i] === 0n && isAddress(after.words[i]!))
    .map((i) => i * 8);
}

/**
 * The first offset at which all samples have the same address: the label. What the words of others
 * behind the ends of the blobs have in common by chance is behind it.
 */
export function labelIn(
  samples: readonly BigUint64Array[],
  landlock: number | undefined,
): { word: number; unconfined: bigint } | undefined {
  const [first, ...others] = samples as [BigUint64Array, ...BigUint64Array[]];
  for (const [i, word] of first.entries()) {
    if (i * 8 === landlock || !isAddress(word)) continue;
    if (others.every((words) => words[i] === word)) return { word: i * 8, unconfined: word };
  }
  return undefined;
}

/** The label that this process shares with the first one, both being unconfined. */
async function apparmorLabel(
  reader: WordReader,
  landlock: number | undefined,
): Promise<{ word: number; unconfined: bigint } | string> {
  for (const who of ['self', '1']) {
    if (!isUnconfined(who)) return `AppArmor confines ${who === '1' ? 'the first process' : 'this process'}`;
  }
  const own = reader.read(0);
  const first = reader.read(INIT);
  if (!own || !first) return "AppArmor's label could not be read";
  const samples = [own, first];
  while (samples.length < 2 + ROUNDS) {
    const words = await wordsOfNewCredentials(reader);
    if (!words) return "AppArmor's label could not be read";
    samples.push(words);
  }
  return labelIn(samples, landlock) ?? "the place of AppArmor's label could not be found";
}

/** Those of a copy of this process's credentials, which a thread has got with a blob of its own. */
async function wordsOfNewCredentials(reader: WordReader): Promise<BigUint64Array | undefined> {
  const numbers = SYSCALLS[process.arch as keyof typeof SYSCALLS];
  const other = reader.another();
  const [copied, run] = await callOnThread([
    // Says what is so already, and copies nevertheless: cap_task_prctl() in security/commoncap.c.
    { number: numbers.prctl, args: [PR_SET_KEEPCAPS, 0, 0, 0, 0] },
    other.runner.asThreadCall(),
  ]);
  return copied! < 0 || run! < 0 || other.failed ? undefined : other.words.slice();
}

function isUnconfined(process: string): boolean {
  try {
    return readFileSync(`/proc/${process}/attr/apparmor/current`, 'latin1').trim() === 'unconfined';
  } catch (error) {
    errnoOf(error);
    return false;
  }
}
