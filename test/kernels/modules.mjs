import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from './exec.mjs';

/**
 * Modules that the suite's worlds need where the kernel has them as modules and not built in: file
 * systems, socket families, the tables that ss reads.
 */
const wanted = [
  'fuse',
  'overlay',
  'vsock_loopback',
  'unix_diag',
  'tcp_diag',
  'udp_diag',
  'netlink_diag',
  'tun',
];

/** @param {string} file */
const moduleName = (file) =>
  basename(file)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');

/**
 * @param {string} file
 * @returns {Promise<Buffer>} the module, decompressed: the guest has no tool for it
 */
async function readModule(file) {
  if (!file.endsWith('.xz')) return readFileSync(file);
  // Through a text encoding that keeps every byte.
  return Buffer.from(await run('xz', ['-dc', file], { encoding: 'latin1' }), 'latin1');
}

/**
 * The wanted modules and what they depend on, in an order in which they can be inserted. Dependencies
 * are read out of the modules: the package has no modules.dep before it is installed.
 * @param {string} dir
 * @returns {Promise<{name: string, data: Buffer}[]>}
 */
export async function collectModules(dir) {
  const files = new Map();
  for (const name of readdirSync(join(dir, 'kernel'), { recursive: true }))
    if (/\.ko(\.\w+)?$/.test(String(name)))
      files.set(moduleName(String(name)), join(dir, 'kernel', String(name)));
  /** @type {Map<string, Buffer>} */
  const collected = new Map();
  /** @param {string} name */
  const visit = async (name) => {
    const file = files.get(name);
    if (!file || collected.has(name)) return;
    const data = await readModule(file);
    const depends = /\0depends=([^\0]*)\0/.exec(data.toString('latin1'))?.[1] ?? '';
    for (const needed of depends.split(',').filter(Boolean)) await visit(needed.replaceAll('-', '_'));
    collected.set(name, data);
  };
  for (const name of wanted) await visit(name);
  return [...collected].map(([name, data]) => ({ name, data }));
}
