// Contestants are processes of their own, each asked in turn through its standard input:
// "answer" gives what it found, "run N" the nanoseconds that N questions took.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..');
/** Time of one batch: much to the clock, little to a scheduler that has others to serve. */
const BATCH_NS = 2e6;
const WARM_NS = 100e6;
export const ROUNDS = 41;
const SLOW_ROUNDS = 7;

/**
 * A slow one takes a large part of a second for one question: it is asked once a round, and
 * in few rounds. `most`: in a batch, where getting ready for the next question takes far longer than
 * the question.
 *
 * @typedef {{name: string, command: string[], env?: Record<string, string>, fds?: number[], slow?: boolean, most?: number}} Contestant
 */

/** A process that answers lines with lines. */
export class Player {
  /** @param {string[]} command @param {{env?: Record<string, string>, fds?: number[]}} [options] */
  constructor(command, { env = {}, fds = [] } = {}) {
    const [program = '', ...args] = command;
    this.child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit', ...fds],
    });
    this.name = command.join(' ');
    this.lines = createInterface({ input: /** @type {any} */ (this.child.stdout) })[Symbol.asyncIterator]();
  }

  /** @returns {Promise<string>} */
  async line() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.name}: ended`);
    return value;
  }

  /** @param {string} text */
  ask(text) {
    this.child.stdin?.write(`${text}\n`);
    return this.line();
  }

  async answer() {
    const text = await this.ask('answer');
    return text === '' ? [] : text.split(' ').map(Number);
  }

  end() {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin?.end();
    return ended;
  }
}

/** @param {number[]} values */
export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/**
 * Times contestants against each other: every round asks each of them once, so that a
 * busy machine is as busy for all.
 *
 * @param {Contestant[]} contestants
 * @param {(answer: number[], player: Player) => string | undefined} complain what is wrong with an answer
 * @param {boolean} quick
 * @param {number} [rounds] where a question takes so long that it is no use to ask it often: this many, of one each
 * @returns {Promise<Map<string, {median: number, best: number}>>} nanoseconds of one question, by name
 */
export async function race(contestants, complain, quick, rounds) {
  const players = contestants.map((each) => ({
    name: each.name,
    slow: each.slow ?? false,
    most: each.most ?? Number.POSITIVE_INFINITY,
    player: new Player(each.command, each),
  }));
  /** @type {Map<string, number[]>} */
  const times = new Map();
  try {
    for (const { name, player } of players) {
      const complaint = complain(await player.answer(), player);
      if (complaint) throw new Error(`${name}: ${complaint}`);
    }
    const batches = new Map();
    for (const { name, slow, most, player } of players) {
      if (slow) {
        batches.set(name, 1);
        await player.ask('run 1');
        continue;
      }
      // Measured for the size of a batch, then until the engine has compiled it.
      const few = quick || rounds !== undefined;
      const warm = Number(await player.ask(`run ${few ? 1 : 200}`)) / (few ? 1 : 200);
      const asMany = (/** @type {number} */ ns) => Math.min(most, Math.max(1, Math.round(ns / warm)));
      batches.set(name, few ? 1 : asMany(BATCH_NS));
      if (!few) await player.ask(`run ${asMany(WARM_NS)}`);
    }
    for (let round = 0; round < (quick ? 1 : (rounds ?? ROUNDS)); round++) {
      for (const { name, slow, player } of players) {
        if (slow && round >= SLOW_ROUNDS) continue;
        const batch = batches.get(name);
        const each = Number(await player.ask(`run ${batch}`)) / batch;
        times.set(name, [...(times.get(name) ?? []), each]);
      }
    }
  } finally {
    await Promise.all(players.map(({ player }) => player.end()));
  }
  return new Map([...times].map(([name, list]) => [name, { median: median(list), best: Math.min(...list) }]));
}

/** The medians alone. @param {Awaited<ReturnType<typeof race>>} results */
export const medians = (results) => new Map([...results].map(([name, { median }]) => [name, median]));

/** Rivals in C, compiled once; undefined without a compiler. */
export class Rivals {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'fdmap-bench-'));
    this.compiler = ['cc', 'gcc', 'clang'].find((name) => {
      try {
        execFileSync(name, ['--version'], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    });
  }

  /** @param {string} name */
  compile(name) {
    if (!this.compiler) return undefined;
    const output = join(this.folder, name);
    const source = join(ROOT, 'bench/rivals', `${name}.c`);
    execFileSync(this.compiler, ['-O2', '-Wall', '-pthread', `-I${ROOT}/bpf`, '-o', output, source]);
    return output;
  }

  remove() {
    rmSync(this.folder, { recursive: true });
  }
}

/**
 * Packages of npm that are compared with, installed at the first use into bench/rivals: they are no
 * dependency of this package. Undefined where that cannot be done.
 */
export function npmRivals() {
  const folder = join(ROOT, 'bench/rivals');
  const wanted = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const stamp = join(folder, 'node_modules/.installed');
  try {
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    writeFileSync(stamp, wanted);
    return folder;
  } catch (error) {
    console.log(`without the rivals of npm: ${/** @type {Error} */ (error).message.split('\n')[0]}`);
    return undefined;
  }
}

const processes = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;

/** Processes of our own, so that the machine has `total`, and at least 20. @param {number} total */
export async function crowd(total) {
  const missing = Math.max(total - processes(), 20);
  const sleepers = Array.from({ length: missing }, () => spawn('sleep', ['infinity'], { stdio: 'ignore' }));
  await Promise.all(sleepers.map((child) => new Promise((resolve) => child.once('spawn', resolve))));
  // Until the last of them, too, is asleep.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    pids: sleepers.map((child) => Number(child.pid)),
    count: processes(),
    end: () =>
      Promise.all(
        sleepers.map((child) => new Promise((resolve) => child.once('exit', resolve) && child.kill())),
      ),
  };
}

/** @param {number} ns */
export function duration(ns) {
  const [value, unit] = ns < 1e3 ? [ns, 'ns'] : ns < 1e6 ? [ns / 1e3, 'µs'] : [ns / 1e6, 'ms'];
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;
}

/** A factor by which we are faster: below 1 we lose. @param {number} value */
export const times = (value) => `${value >= 10 ? value.toFixed(0) : value.toFixed(2)}x`;

export const HEAD = ['asked by', 'median', 'first is faster by', 'best', 'first is faster by'];

/** Rows of one race: the first contestant's figures, and how many times as long each other took. */
export function rowsOf(
  /** @type {string} */ what,
  /** @type {Map<string, {median: number, best: number}>} */ found,
) {
  const [first] = found.values();
  return [...found].map(([name, { median, best }]) => {
    const isFirst = !first || found.get(name) === first;
    const ratio = (/** @type {number} */ a, /** @type {number} */ b) => (isFirst ? '' : times(a / b));
    return [
      what,
      name,
      duration(median),
      ratio(median, first?.median ?? 1),
      duration(best),
      ratio(best, first?.best ?? 1),
    ];
  });
}

/** A table as Markdown has it. @param {string[]} head @param {string[][]} rows */
export function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  /** @param {string[]} row */
  const line = (row) =>
    `| ${row.map((cell, i) => (i ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : `${'-'.repeat(width + 2)}`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
