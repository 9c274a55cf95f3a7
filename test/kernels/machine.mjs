import { existsSync, readdirSync, rmSync } from 'node:fs';
import { cpus, freemem } from 'node:os';
import { join } from 'node:path';
import { accelerator } from './accel.mjs';
import { compileProfile, guestProfile } from './apparmor.mjs';
import { Apt } from './apt.mjs';
import { fetchKernel, listKernels } from './catalogue.mjs';
import { Archive } from './cpio.mjs';
import { Unavailable } from './exec.mjs';
import { root } from './paths.mjs';
import { expectedTier, guestEnvironment, steps } from './plan.mjs';
import { guestPrograms } from './programs.mjs';
import { boot, resultDevice } from './qemu.mjs';
import {
  baseArchive,
  modulesArchive,
  nativeArchitecture,
  projectArchive,
  writeInitramfs,
} from './rootfs.mjs';

/** MiB of a guest: Node, the test runner and the initramfs itself. */
const memory = 1536;

/** @returns {number} how many machines at a time: each takes one processor */
export function parallelMachines() {
  const byMemory = Math.floor(freemem() / 2 ** 20 / (memory + 256));
  return Math.max(1, Math.min(cpus().length, byMemory));
}

/** @param {string} dir @returns {boolean} */
function hasTests(dir) {
  if (!existsSync(dir)) return false;
  return readdirSync(dir, { recursive: true })
    .map(String)
    .some((name) => name.endsWith('.test.ts') && !name.startsWith('kernels/'));
}

function projectHas() {
  return {
    suite: hasTests(join(root, 'test')),
    product: existsSync(join(root, 'dist/index.js')),
    doctor: existsSync(join(root, 'dist/cli/main.js')),
  };
}

/** Makes machines of one architecture: what all of them share is made once. */
export class Workshop {
  /**
   * @param {string} architecture
   * @param {import('./plan.mjs').Wanted} wanted
   */
  static async open(architecture, wanted) {
    const apt = new Apt(architecture);
    const kernels = await listKernels(apt);
    const newest = kernels.at(-1);
    if (!newest) throw new Unavailable(`no cloud kernel for ${architecture} in the archives`);
    const [found] = await apt.newest(['busybox-static']);
    if (!found) throw new Unavailable('busybox-static: no such package in the archives');
    const busybox = await apt.unpack(found);
    const base = (await baseArchive(busybox, apt)).toBuffer();
    const someKernel = async () => (await fetchKernel(apt, newest)).vmlinuz;
    const accel = await accelerator(architecture, someKernel, busybox);
    const project = await projectArchive(architecture);
    // Its compiler is a program of this machine's architecture, and what callers it is for are too.
    if (architecture === nativeArchitecture) project.file(guestProfile, await compileProfile(apt));
    const has = {
      ...projectHas(),
      programs: project.has(guestPrograms),
      profile: project.has(guestProfile),
    };
    return new Workshop(apt, kernels, base, project.toBuffer(), accel, wanted, has);
  }

  /**
   * @param {Apt} apt
   * @param {import('./catalogue.mjs').Kernel[]} kernels
   * @param {Buffer} base
   * @param {Buffer} project
   * @param {string} accel
   * @param {import('./plan.mjs').Wanted} wanted
   * @param {import('./plan.mjs').Has} has
   */
  constructor(apt, kernels, base, project, accel, wanted, has) {
    this.apt = apt;
    this.kernels = kernels;
    this.base = base;
    this.project = project;
    this.accel = accel;
    this.has = has;
    this.wanted = wanted;
  }

  /**
   * @param {import('./catalogue.mjs').Kernel} kernel
   * @param {import('./plan.mjs').Variant} variant
   * @param {boolean} specialToo the run makes the special boots of this kernel as well
   */
  steps(kernel, variant, specialToo) {
    const { architecture } = this.apt;
    const wanted = { ...this.wanted, specialToo };
    return steps(variant, this.has, expectedTier(kernel.version, variant), wanted, architecture);
  }

  /**
   * @param {import('./catalogue.mjs').Kernel} kernel
   * @param {import('./plan.mjs').Variant} variant
   * @param {import('./plan.mjs').Step[]} list
   */
  async run(kernel, variant, list) {
    const { vmlinuz, modules } = await fetchKernel(this.apt, kernel);
    const name = `${kernel.version}-${variant.name.replaceAll(/[^\w=]+/g, '-')}-${this.apt.architecture}`;
    const initramfs = writeInitramfs(name, [
      this.base,
      ...(modules ? [(await modulesArchive(modules)).toBuffer()] : []),
      this.project,
      this.#jobArchive(variant, list).toBuffer(),
    ]);
    const remove = () => rmSync(initramfs, { force: true });
    process.on('exit', remove);
    try {
      return await boot({
        architecture: this.apt.architecture,
        vmlinuz,
        initramfs,
        cmdline: variant.cmdline,
        memory,
        limit: list.reduce((sum, step) => sum + step.limit, 60),
        accel: this.accel,
        name,
      });
    } finally {
      process.off('exit', remove);
      remove();
    }
  }

  /** @param {import('./plan.mjs').Variant} variant @param {import('./plan.mjs').Step[]} list */
  #jobArchive(variant, list) {
    const archive = new Archive();
    archive.file(
      '/job.env',
      `GUEST_RESULTS=${resultDevice(this.apt.architecture)}\nGUEST_PROC=${variant.proc}\n`,
    );
    archive.file('/job.json', JSON.stringify({ env: guestEnvironment(this.has), steps: list }));
    return archive;
  }
}
