import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Archive } from './cpio.mjs';
import { collectModules } from './modules.mjs';
import { cacheDir, root } from './paths.mjs';
import { compilePrograms, guestPrograms } from './programs.mjs';
import { transpile } from './transpile.mjs';
import { addForeignUserland, addNativeUserland } from './userland.mjs';

/** Where the project is in the guest. */
export const guestProject = '/fdmap';

/** Debian's name of this machine's architecture. */
export const nativeArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** Folders of the project that the suite may read. */
const projectFolders = ['test', 'assets', 'dist', 'bpf', 'include', 'scripts', 'docs', 'man'];

/** @param {string} path */
const keepInProject = (path) => !/(\/(\.cache|node_modules|\.git)|\.ts)$/.test(path);

const accounts = [
  ['root', 0, '/root'],
  ['daemon', 1, '/'],
  ['alice', 1000, '/tmp'],
  ['bob', 1001, '/tmp'],
  ['nobody', 65534, '/'],
];

/**
 * @param {string} busyboxPackage an unpacked busybox-static
 * @returns {Archive} the least that boots
 */
export function busyboxArchive(busyboxPackage) {
  const archive = new Archive();
  for (const dir of [
    '/proc',
    '/sys',
    '/dev',
    '/run',
    '/bin',
    '/sbin',
    '/usr/bin',
    '/etc',
    '/root',
    '/modules',
  ])
    archive.directory(dir);
  archive.directory('/tmp', 0o1777);
  const busybox = ['bin', 'usr/bin']
    .map((dir) => join(busyboxPackage, dir, 'busybox'))
    .find((path) => existsSync(path));
  if (!busybox) throw new Error(`${busyboxPackage}: no busybox in the package`);
  archive.copy(busybox, '/bin/busybox');
  archive.symlink('/bin/sh', 'busybox');
  return archive;
}

/**
 * Everything below the project: a small userland, Node with its libraries, the test runner.
 * @param {string} busyboxPackage an unpacked busybox-static
 * @param {import('./apt.mjs').Apt} apt of the guest's architecture
 * @returns {Promise<Archive>}
 */
export async function baseArchive(busyboxPackage, apt) {
  const archive = busyboxArchive(busyboxPackage);
  /** @param {(string | number)[]} fields */
  const line = (fields) => `${fields.join(':')}\n`;
  archive.file(
    '/etc/passwd',
    accounts.map(([name, id, home]) => line([name, 'x', id, id, name, home, '/bin/sh'])).join(''),
  );
  archive.file('/etc/group', accounts.map(([name, id]) => line([name, 'x', id, ''])).join(''));
  archive.file('/etc/hosts', '127.0.0.1 localhost guest\n::1 localhost\n');
  if (apt.architecture === nativeArchitecture) await addNativeUserland(archive, guestProject);
  else await addForeignUserland(archive, guestProject, apt);
  return archive;
}

/**
 * @param {string} architecture
 * @returns {Promise<Archive>} the project, its TypeScript as JavaScript, and what the guest starts
 */
export async function projectArchive(architecture) {
  const archive = new Archive();
  for (const name of readdirSync(root).sort())
    if (/\.(json|mjs|js)$/.test(name)) archive.copy(join(root, name), `${guestProject}/${name}`);
  for (const folder of projectFolders)
    if (existsSync(join(root, folder)))
      archive.copy(join(root, folder), `${guestProject}/${folder}`, keepInProject);
  archive.copy(await transpile(), guestProject);
  const programs = await compilePrograms(architecture);
  if (programs) archive.copy(programs, guestPrograms);
  archive.file('/init', readFileSync(join(root, 'test/kernels/guest/init.sh')), 0o755);
  return archive;
}

/**
 * @param {string} dir the kernel's modules
 * @returns {Promise<Archive>}
 */
export async function modulesArchive(dir) {
  const archive = new Archive();
  let number = 10;
  for (const { name, data } of await collectModules(dir))
    archive.file(`/modules/${number++}-${name}.ko`, data);
  return archive;
}

/**
 * Writes archives one after the other into one file: the kernel unpacks them in this order. The file
 * is large and quickly made, so it is not kept: whoever boots it removes it.
 * @param {string} name of the boot
 * @param {Buffer[]} parts
 * @returns {string}
 */
export function writeInitramfs(name, parts) {
  const file = join(cacheDir('boots'), `${name}.cpio`);
  writeFileSync(file, parts[0]);
  for (const part of parts.slice(1)) appendFileSync(file, part);
  return file;
}
