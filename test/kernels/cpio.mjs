import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';

/**
 * The content of an initramfs, as the kernel unpacks it: a cpio archive in the "newc" format
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Times and inode numbers are constant,
 * so that equal content gives equal bytes. Archives may be concatenated; later entries win.
 */
export class Archive {
  /** @type {Map<string, {mode: number, data: Buffer}>} */
  #entries = new Map();

  /**
   * @param {string} path where it goes, absolute
   * @param {number} mode with the type bits
   * @param {Buffer} data
   */
  #add(path, mode, data) {
    const name = posix.normalize(path).replace(/^\/+/, '');
    if (name === '' || name === '.') return;
    const parent = posix.dirname(name);
    if (parent !== '.' && !this.#entries.has(parent)) this.#add(parent, 0o40755, Buffer.alloc(0));
    this.#entries.set(name, { mode, data });
  }

  /** @param {string} path @param {number} [mode] */
  directory(path, mode = 0o755) {
    this.#add(path, 0o40000 | mode, Buffer.alloc(0));
  }

  /** @param {string} path @param {string | Buffer} content @param {number} [mode] */
  file(path, content, mode = 0o644) {
    this.#add(path, 0o100000 | mode, Buffer.from(content));
  }

  /** @param {string} path @param {string} target */
  symlink(path, target) {
    this.#add(path, 0o120777, Buffer.from(target));
  }

  /**
   * Copies a file, a link or a whole folder of this machine.
   * @param {string} from
   * @param {string} to
   * @param {(path: string) => boolean} [keep] asked for each path below `from`
   */
  copy(from, to, keep = () => true) {
    const stat = lstatSync(from);
    if (stat.isSymbolicLink()) this.symlink(to, readlinkSync(from));
    else if (stat.isFile()) this.file(to, readFileSync(from), stat.mode & 0o777);
    else if (stat.isDirectory()) {
      this.directory(to);
      for (const name of readdirSync(from).sort())
        if (keep(`${from}/${name}`)) this.copy(`${from}/${name}`, `${to}/${name}`, keep);
    }
  }

  /** @param {string} path @returns {boolean} */
  has(path) {
    return this.#entries.has(posix.normalize(path).replace(/^\/+/, ''));
  }

  /** @returns {Buffer} */
  toBuffer() {
    /** @type {Buffer[]} */
    const chunks = [];
    let inode = 1;
    /** @param {number} length */
    const pad = (length) => Buffer.alloc((4 - (length % 4)) % 4);
    /** @type {(name: string, mode: number, data: Buffer, links: number) => void} */
    const entry = (name, mode, data, links) => {
      const fields = [inode++, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
      const head = Buffer.from(
        `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`,
        'latin1',
      );
      chunks.push(head, pad(head.length), data, pad(data.length));
    };
    for (const [name, { mode, data }] of this.#entries)
      entry(Buffer.from(name).toString('latin1'), mode, data, (mode & 0o170000) === 0o40000 ? 2 : 1);
    entry('TRAILER!!!', 0, Buffer.alloc(0), 1);
    return Buffer.concat(chunks);
  }
}
