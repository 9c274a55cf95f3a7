// Where nobody has a /proc: what the calls answer about known things, by programs that this process
// loads and by pinned ones, to root and to an ordinary user. Prints what was asked; throws at a fault.
import { deepStrictEqual as equal, ok } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));
const { open } = await import(`${dist}index.js`);
const NOBODY = { uid: 65534, gid: 65534 };
const at = '/run/fdmap';

/** @param {() => unknown} call @returns {string} its error's code */
function code(call) {
  try {
    call();
    return 'answered';
  } catch (error) {
    return error.code;
  }
}

/** busybox's sh says that it runs before it is asked about, and then holds exactly what was put there. */
async function start(options = {}) {
  const child = spawn('/bin/sh', ['-c', 'cd /tmp; exec 7</dev/null 200</dev/zero; echo; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  // What sh has become.
  const own = open({ backend: 'kernel' });
  while (own.pidinfo(child.pid, { fields: ['command'] }).toArray()[0]?.command !== 'sleep');
  own.close();
  return child;
}

/**
 * As of an administrator who had a /proc when he installed: AppArmor's label is found by it. Whose
 * processes may be seen is what the first process's /proc says: without one, the strictest.
 * @param {string[]} options
 */
function install(options) {
  const script = 'mount -t proc proc /proc && exec "$@"';
  const command = [process.execPath, `${dist}cli/main.js`, 'install', ...options];
  const args = ['-m', 'sh', '-c', script, 'sh', ...command];
  const { status, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
  equal([status, stderr], [0, '']);
}

/**
 * Everything that can be asked about one process that may be read.
 * @param {any} handle
 * @param {{pid: number, ppid: number, uid: number}} known
 * @param {boolean} [seesParent]
 */
function ask(handle, { pid, ppid, uid }, seesParent = true) {
  equal([...handle.fdmap(pid)], [0, 1, 2, 7, 200]);
  ok(handle.pidmap().includes(pid), 'pidmap()');
  ok(handle.pidmap({ mode: 'tasks' }).includes(pid), 'pidmap(tasks)');
  equal([...handle.pidmap({ mode: 'threads', pid })], [pid]);
  if (seesParent) ok(handle.pidmap({ mode: 'children', pid: ppid }).includes(pid), 'pidmap(children)');

  const fields = ['pid', 'ppid', 'command', 'state', 'uid', 'fds', 'threads'];
  const truth = { pid, ppid, command: 'sleep', state: 'S', uid, fds: 5, threads: 1 };
  equal(JSON.parse(JSON.stringify(handle.pidinfo(pid, { fields }).toArray())), [truth]);
  const row = handle
    .pidinfo()
    .toArray()
    .find((/** @type {any} */ each) => each.pid === pid);
  equal([row.command, row.fds, row.readBytes >= 0, row.rss > 0], ['sleep', 5, true, true]);
  const counted = handle.pidinfo(undefined, { fields: ['fds'] }).toArray();
  equal(counted.find((/** @type {any} */ each) => each.pid === pid)?.fds, 5);

  /** @param {any[]} rows */
  const told = (rows) => rows.map(({ fd, type, path }) => `${fd} ${type} ${path ?? ''}`.trim());
  const own = told(handle.fdinfo(pid).toArray());
  equal([own.length, own[3], own[4]], [5, '7 char /dev/null', '200 char /dev/zero']);
  const all = handle.fdinfo().toArray();
  equal(told(all.filter((/** @type {any} */ each) => each.pid === pid)), own);
  const places = told(handle.fdinfo(pid, { places: true }).toArray());
  ok(places.includes('cwd dir /tmp') && places.includes('root dir /'), `places: ${places}`);
  const holders = handle.fdinfo(undefined, { path: '/dev/zero' }).toArray();
  equal(told(holders.filter((/** @type {any} */ each) => each.pid === pid)), ['200 char /dev/zero']);
}

/** @param {any} handle */
function askOfOneself(handle) {
  const opened = openSync('/dev/null', 'r');
  for (const numbers of [handle.fdmap(), handle.fdmap(process.pid)])
    ok(
      [0, 1, 2, opened].every((fd) => numbers.includes(fd)),
      `fdmap of oneself: ${numbers}`,
    );
}

// This file again, as an ordinary user who is told what he asks about.
if (process.argv.length > 2) {
  const hidden = process.argv[2] === 'strictest';
  const [own, foreign, ppid] = process.argv.slice(3).map(Number);
  const handle = open();
  equal(handle.backend, 'pinned');
  askOfOneself(handle);
  ask(handle, { pid: own, ppid, uid: NOBODY.uid }, !hidden);
  const refused = hidden ? 'ESRCH' : 'EACCES';
  equal(
    code(() => handle.fdmap(foreign)),
    refused,
  );
  equal(
    code(() => handle.fdinfo(foreign).toArray()),
    refused,
  );
  equal(handle.pidmap().includes(foreign), !hidden, 'pidmap() of others');
  if (hidden) {
    equal(
      code(() => handle.pidinfo(foreign).toArray()),
      'ESRCH',
    );
    equal(
      code(() => handle.pidmap({ mode: 'children', pid: ppid })),
      'ESRCH',
    );
  } else {
    const [row] = handle.pidinfo(foreign).toArray();
    equal([row.command, row.fds, row.readBytes], ['sleep', 5, undefined]);
  }
  ok(
    !handle
      .fdinfo()
      .toArray()
      .some((/** @type {any} */ { pid }) => pid === foreign),
    'fdinfo() of others',
  );
  handle.close();
  process.exit();
}

ok(!existsSync('/proc/self'), 'there is a /proc');
const [root, user] = [await start(), await start(NOBODY)];
try {
  const known = { pid: root.pid ?? 0, ppid: process.pid, uid: 0 };
  const loading = open();
  equal(loading.backend, 'kernel');
  askOfOneself(loading);
  ask(loading, known);
  loading.close();
  equal(
    code(() => open({ backend: 'proc' })),
    'ERR_FDMAP_BACKEND_UNAVAILABLE',
  );

  mkdirSync(at);
  equal(spawnSync('mount', ['-t', 'bpf', '-o', 'mode=0755', 'bpf', at]).status, 0);
  const people = [user.pid, root.pid, process.pid].map(String);
  for (const hidepid of ['strictest', '0']) {
    install(hidepid === 'strictest' ? [] : ['--hidepid', hidepid]);
    const pinned = open({ backend: 'pinned' });
    askOfOneself(pinned);
    ask(pinned, known);
    pinned.close();

    const args = [import.meta.filename, hidepid, ...people];
    const asking = spawnSync(process.execPath, args, { encoding: 'utf8', ...NOBODY });
    equal([asking.status, asking.stderr], [0, ''], `to an ordinary user, hidepid ${hidepid}`);
  }
} finally {
  root.kill('SIGKILL');
  user.kill('SIGKILL');
}
console.log('kernel and pinned, as root and as an ordinary user: fdmap, pidmap, pidinfo, fdinfo');
