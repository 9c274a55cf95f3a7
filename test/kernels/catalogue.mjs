import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from './exec.mjs';

/**
 * @typedef {object} Kernel
 * @property {string} version as people name it: 6.12.95
 * @property {string} release what uname -r says
 * @property {import('./apt.mjs').Package} image the package with the kernel itself
 * @property {import('./apt.mjs').Package} modules the package with its modules, often the same one
 * @property {string} architecture
 */

/**
 * @param {string} a
 * @param {string} b
 * @returns {number} order of two dotted version numbers
 */
export function compareVersions(a, b) {
  const x = a.split('.').map(Number);
  const y = b.split('.').map(Number);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Every cloud kernel that the archives have, oldest first. Cloud kernels are the smallest: they lack
 * drivers, nothing that matters here.
 * @param {import('./apt.mjs').Apt} apt
 * @returns {Promise<Kernel[]>}
 */
export async function listKernels(apt) {
  await apt.update();
  const flavour = new RegExp(`^linux-(?:image|binary|modules)-([0-9].*-cloud-${apt.architecture})$`);
  const names = (await apt.names('linux-')).filter((name) => flavour.test(name));
  const packages = new Map((await apt.newest(names)).map((found) => [found.name, found]));
  const kernels = new Map();
  for (const name of packages.keys()) {
    const release = /** @type {RegExpExecArray} */ (flavour.exec(name))[1];
    // "6.1-cloud-amd64" without a patch or ABI number is a meta-package.
    if (!/^\d+\.\d+(\.\d+|-\d+)/.test(release)) continue;
    // Newer kernels are split: linux-image is then an empty package that pulls in the others.
    const image = packages.get(`linux-binary-${release}`) ?? packages.get(`linux-image-${release}`);
    if (!image) continue;
    const modules =
      packages.get(`linux-modules-${release}`) ?? packages.get(`linux-image-${release}`) ?? image;
    const version = image.version.replace(/^\d+:/, '').replace(/[-+~].*$/, '');
    kernels.set(release, { version, release, image, modules, architecture: apt.architecture });
  }
  return [...kernels.values()].sort((a, b) => compareVersions(a.version, b.version));
}

/**
 * @param {Kernel[]} kernels oldest first
 * @param {string} wanted a version or the beginning of one ("6.12", "6.12.95"), or "newest"
 * @returns {Kernel | undefined} the newest that fits
 */
export function selectKernel(kernels, wanted) {
  if (wanted === 'newest') return kernels.at(-1);
  return kernels.findLast(({ version }) => version === wanted || version.startsWith(`${wanted}.`));
}

/**
 * @param {Kernel[]} kernels
 * @returns {string[]} the series at hand: 6.1, 6.12, …
 */
export function series(kernels) {
  return [...new Set(kernels.map(({ version }) => version.split('.').slice(0, 2).join('.')))];
}

/**
 * @param {import('./apt.mjs').Apt} apt
 * @param {Kernel} kernel
 * @returns {Promise<{vmlinuz: string, modules: string | undefined}>} the kernel's file and the folder of its modules
 */
export async function fetchKernel(apt, kernel) {
  const image = await apt.unpack(kernel.image);
  const modulesRoot = await apt.unpack(kernel.modules);
  const places = [
    join(image, 'boot', `vmlinuz-${kernel.release}`),
    join(image, 'usr/lib/modules', kernel.release, 'vmlinuz'),
  ];
  const vmlinuz = places.find((place) => existsSync(place));
  if (!vmlinuz) {
    const content = readdirSync(image).join(' ');
    throw new Unavailable(`${kernel.image.name}: no kernel in the package (it has: ${content})`);
  }
  const modules = ['usr/lib/modules', 'lib/modules']
    .map((dir) => join(modulesRoot, dir, kernel.release))
    .find((dir) => existsSync(join(dir, 'kernel')));
  // Archives drop packages of superseded kernels one by one: the kernel itself may be all that is left.
  if (!modules) process.stderr.write(`${kernel.version}: its modules are gone from the archives\n`);
  return { vmlinuz, modules };
}
