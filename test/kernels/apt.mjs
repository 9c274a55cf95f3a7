import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from './exec.mjs';
import { cacheDir } from './paths.mjs';
import { kernelSources } from './sources.mjs';

/** Package lists older than this are fetched again. */
const listsMaxAgeMs = 24 * 3600 * 1000;

/**
 * @typedef {{name: string, version: string, architecture: string}} Package
 */

/**
 * A private apt: it has its own sources, lists and cache and never touches the machine's, so that it
 * can look at releases that the machine does not use, and needs no root. Proxies and the like still
 * come from the machine's apt.conf.d.
 */
export class Apt {
  #dir;
  #options;
  /** @type {Map<string, Promise<string>>} */
  #unpacking = new Map();

  /** @param {string} architecture amd64 or arm64 */
  constructor(architecture) {
    this.architecture = architecture;
    this.#dir = cacheDir('apt', architecture);
    for (const dir of ['state/lists/partial', 'cache/archives/partial', 'sources', 'none'])
      mkdirSync(join(this.#dir, dir), { recursive: true });
    writeFileSync(join(this.#dir, 'sources', 'kernels.sources'), kernelSources());
    writeFileSync(join(this.#dir, 'status'), '');
    const set = {
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'Dir::State': join(this.#dir, 'state'),
      'Dir::State::status': join(this.#dir, 'status'),
      'Dir::Cache': join(this.#dir, 'cache'),
      'Dir::Etc::sourcelist': '/dev/null',
      'Dir::Etc::sourceparts': join(this.#dir, 'sources'),
      'Dir::Etc::preferences': '/dev/null',
      'Dir::Etc::preferencesparts': join(this.#dir, 'none'),
      'Acquire::Languages': 'none',
      'Acquire::Retries': '3',
      // The unprivileged user that apt downloads as could not write into this folder.
      'APT::Sandbox::User': 'root',
    };
    this.#options = Object.entries(set).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  }

  /** Fetches the package lists unless the ones at hand are of today and of the same sources. */
  async update() {
    const stamp = join(this.#dir, 'updated');
    const sources = kernelSources();
    const fresh =
      existsSync(stamp) &&
      Date.now() - statSync(stamp).mtimeMs < listsMaxAgeMs &&
      readFileSync(stamp, 'utf8') === sources;
    if (fresh) return;
    try {
      await run('apt-get', [...this.#options, '-q', 'update']);
      writeFileSync(stamp, sources);
    } catch (error) {
      // One suite that a mirror lacks fails the whole command, with the others fetched. What is then
      // missing is reported where it is wanted.
      process.stderr.write(`apt-get update (${this.architecture}): ${error.message}\n`);
    }
  }

  /**
   * @param {string} prefix
   * @returns {Promise<string[]>} names of packages
   */
  async names(prefix) {
    return (await run('apt-cache', [...this.#options, 'pkgnames', prefix])).split('\n').filter(Boolean);
  }

  /**
   * @param {string[]} names
   * @returns {Promise<Package[]>} the newest version of each
   */
  async newest(names) {
    if (names.length === 0) return [];
    const text = await run('apt-cache', [...this.#options, 'show', '--no-all-versions', ...names]);
    return text
      .split('\n\n')
      .map((stanza) => ({
        name: /^Package: (.*)$/m.exec(stanza)?.[1] ?? '',
        version: /^Version: (.*)$/m.exec(stanza)?.[1] ?? '',
        architecture: this.architecture,
      }))
      .filter(({ name }) => name !== '');
  }

  /**
   * Boots that want the same package at the same time share one download.
   *
   * @param {Package} wanted
   * @returns {Promise<string>} the folder with the unpacked package
   */
  unpack({ name, version }) {
    const target = join(cacheDir('packages', this.architecture), `${name}_${version.replaceAll('/', '_')}`);
    const under = this.#unpacking.get(target) ?? this.#unpack(target, `${name}=${version}`);
    this.#unpacking.set(target, under);
    return under;
  }

  /** @param {string} target @param {string} wanted as apt-get has it: NAME=VERSION */
  async #unpack(target, wanted) {
    if (existsSync(target)) return target;
    const work = `${target}.${process.pid}`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(join(work, 'root'), { recursive: true });
    await run('apt-get', [...this.#options, '-q', 'download', wanted], { cwd: work });
    const deb = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (!deb) throw new Error(`apt-get download ${wanted}: no package came`);
    await run('dpkg', ['-x', join(work, deb), join(work, 'root')]);
    // Renamed only when complete: an interrupted run leaves nothing that looks whole.
    renameSync(join(work, 'root'), target);
    rmSync(work, { recursive: true, force: true });
    return target;
  }
}
