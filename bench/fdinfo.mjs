// fdinfo and its commands against lsof, lsfd, ss, fuser and node:fs, in a crowd of processes of our own.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { crowd, PORT } from './crowd.mjs';
import { programs } from './fdmap.mjs';
import { duration, HEAD, race, rowsOf, table } from './harness.mjs';

const SCRIPTS = join(import.meta.dirname, 'contestants');
const MAIN = join(import.meta.dirname, '../dist/cli/main.js');
/** Whole processes that take seconds: no more than this. */
const ROUNDS = 11;
/** Processes and descriptors of each. A hard limit of 20,000 allows no 100,000 in one. */
const SIZES = {
  crowd: [1000, 65],
  search: [1000, 100],
  flat: [
    [10, 100],
    [100, 100],
    [1000, 100],
  ],
  one: 1000,
};
const QUICK = {
  crowd: [20, 65],
  search: [20, 65],
  flat: [
    [5, 40],
    [20, 40],
  ],
  one: 200,
};

/** @typedef {import('./harness.mjs').Contestant} Contestant */

/** @param {string} name */
const has = (name) => {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** @typedef {NonNullable<Awaited<ReturnType<typeof crowd>>>} Crowd */

/** Every process of the crowd is there with each of its descriptors once. @param {Crowd} world */
const complete =
  (world, pids = world.pids) =>
  (/** @type {number[]} */ answer) => {
    const found = new Map(pids.map((pid) => [pid, new Set()]));
    for (let i = 0; i < answer.length; i += 2) {
      const fd = answer[i + 1] ?? -1;
      if (fd >= 0) found.get(answer[i] ?? 0)?.add(fd);
    }
    const wrong = pids.filter((pid) => found.get(pid)?.size !== world.descriptors);
    const [pid = 0] = wrong;
    return wrong.length
      ? `${wrong.length} of ${pids.length} processes are wrong: ${pid} has ${found.get(pid)?.size} of ${world.descriptors}`
      : undefined;
  };

/** Only the first process holds it, once. @param {Crowd} world */
const held = (world) => (/** @type {number[]} */ answer) =>
  answer.length === 2 && answer[0] === world.pids[0] ? undefined : `answered ${answer}, not ${world.pids[0]}`;

/** @param {string} name @param {string[]} args @returns {Contestant} */
const library = (name, ...args) => ({
  name,
  command: [process.execPath, join(SCRIPTS, 'descriptors.mjs'), ...args],
});

/** @param {import('./harness.mjs').Rivals} rivals */
const commandsOf = (rivals) => {
  let next = 0;
  /** @param {string} name @param {string} form @param {string[]} command @returns {Contestant} */
  return (name, form, ...command) => ({
    name,
    command: [
      process.execPath,
      join(SCRIPTS, 'command.mjs'),
      form,
      join(rivals.folder, `out${next++}`),
      ...command,
    ],
  });
};

/** @param {Contestant[]} contestants */
const present = (contestants) =>
  contestants.filter(({ command }) => {
    const program = command[1]?.endsWith('command.mjs') ? command[4] : command[0];
    return program !== undefined && has(program);
  });

/** Everything of a machine. @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
async function everything(rivals, quick) {
  const world = await crowd(rivals, (quick ? QUICK : SIZES).crowd);
  if (!world) return [];
  const command = commandsOf(rivals);
  const fdmap = [process.execPath, MAIN];
  const { fds, close } = programs();
  const count = world.pids.length * world.descriptors;
  try {
    const stream = rivals.compile('stream');
    const check = complete(world);
    const atLeast = (/** @type {number[]} */ answer, /** @type {Player} */ player) =>
      player.name.includes('stream')
        ? (answer[0] ?? 0) < count
          ? `read ${answer} rows`
          : undefined
        : check(answer);
    /** @type {Contestant[]} */
    const rows = present([
      library('fdinfo(): pid, fd, type, path', 'rows'),
      library('fdinfo(), all fields', 'all'),
      ...(stream && fds.length ? [{ name: 'the stream, read into nothing, C', command: [stream], fds }] : []),
      command('lsof -nPw', 'columns', 'lsof', '-nPw'),
      command('lsfd', 'columns', 'lsfd'),
    ]);
    const lists = present([
      command('fdmap ls --jsonl', 'jsonl', ...fdmap, 'ls', '--jsonl'),
      command('fdmap ls', 'columns', ...fdmap, 'ls', '-o', 'command,pid,user,fd,type,access,size,detail'),
      command('lsof -nPw -F', 'fields', 'lsof', '-nPw', '-F'),
      command('lsfd --json', 'lsfd', 'lsfd', '--json'),
    ]);
    return [
      ...rowsOf(`${count} descriptors`, await race(rows, atLeast, quick, ROUNDS)),
      ...rowsOf(`${count} descriptors, whole process`, await race(lists, check, quick, ROUNDS)),
    ];
  } finally {
    close();
    await world.end();
  }
}

/** Who holds this port, this path. @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
async function search(rivals, quick) {
  const world = await crowd(rivals, (quick ? QUICK : SIZES).search);
  if (!world) return [];
  const command = commandsOf(rivals);
  const who = (/** @type {string} */ what) =>
    command(
      `fdmap who ${what === world.held ? 'PATH' : ':PORT'}`,
      'jsonl',
      process.execPath,
      MAIN,
      'who',
      '--jsonl',
      what,
    );
  const count = world.pids.length * world.descriptors;
  const listening = ['-H', '-tlnp', `sport = :${PORT}`];
  try {
    const port = present([
      library('fdinfo({ port })', 'port', String(PORT)),
      who(`:${PORT}`),
      command('ss -tlnp', 'ss', 'ss', ...listening),
      command('lsof -i', 'columns', 'lsof', '-nPw', `-iTCP:${PORT}`),
      command('fuser PORT/tcp', 'pids', 'fuser', `${PORT}/tcp`),
    ]);
    const path = present([
      library('fdinfo({ path })', 'path', world.held),
      who(world.held),
      command('lsof PATH', 'columns', 'lsof', '-nPw', world.held),
      command('fuser PATH', 'pids', 'fuser', world.held),
    ]);
    return [
      ...rowsOf(`who holds a port, of ${count}`, await race(port, held(world), quick, ROUNDS)),
      ...rowsOf(`who holds a path, of ${count}`, await race(path, held(world), quick, ROUNDS)),
    ];
  } finally {
    await world.end();
  }
}

/** One process. @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
async function oneProcess(rivals, quick) {
  const world = await crowd(rivals, [1, quick ? QUICK.one : SIZES.one]);
  if (!world) return [];
  const pid = String(world.pids[0]);
  const lsof = commandsOf(rivals)('lsof -nPw -p PID', 'columns', 'lsof', '-nPw', '-p', pid);
  const contestants = present([
    library('fdinfo(pid)', 'one', pid),
    library('node:fs, readdir + readlink', 'fs', pid),
    library('node:fs, readdir + readlink + fdinfo', 'fs-fdinfo', pid),
    { ...lsof, slow: true },
  ]);
  try {
    // Warm, as whoever asks every second is: these are short questions.
    return rowsOf(`one process with ${world.descriptors}`, await race(contestants, complete(world), quick));
  } finally {
    await world.end();
  }
}

/** Time of one descriptor, and the memory of a stream. @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
async function growth(rivals, quick) {
  /** @type {string[][]} */
  const rows = [];
  for (const size of (quick ? QUICK : SIZES).flat) {
    const world = await crowd(rivals, size);
    if (!world) return rows;
    try {
      const count = world.pids.length * world.descriptors;
      const [found] = (
        await race([library('fdinfo()', 'rows')], complete(world), quick, 5 * ROUNDS)
      ).values();
      const memory = execFileSync(process.execPath, [join(SCRIPTS, 'stream-memory.mjs')], {
        encoding: 'utf8',
      });
      const [streamed = '', kilobytes = ''] = memory.trim().split(' ');
      if (Number(streamed) < count) throw new Error(`streamed ${streamed} descriptors of ${count}`);
      rows.push([
        streamed,
        duration((found?.median ?? 0) / Number(streamed)),
        duration((found?.best ?? 0) / Number(streamed)),
        `${Math.round(Number(kilobytes) / 1024)} MiB`,
      ]);
    } finally {
      await world.end();
    }
  }
  return rows;
}

/** @param {import('./harness.mjs').Rivals} rivals @param {boolean} quick */
export async function run(rivals, quick) {
  if (!rivals.compiler) return 'not run: without a C compiler there is no crowd of processes';
  const rows = [
    ...(await everything(rivals, quick)),
    ...(await search(rivals, quick)),
    ...(await oneProcess(rivals, quick)),
  ];
  const flat = await growth(rivals, quick);
  return `${table(['what', ...HEAD], rows)}\n\n${table(
    ['descriptors of the machine', 'each, median', 'each, best', 'most memory of fdinfoStream()'],
    flat,
  )}`;
}
