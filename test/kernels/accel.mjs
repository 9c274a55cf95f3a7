import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from './paths.mjs';
import { boot, emulation, resultDevice } from './qemu.mjs';
import { busyboxArchive, nativeArchitecture, writeInitramfs } from './rootfs.mjs';

/**
 * Hardware virtualisation is used where a machine really boots with it: in a nested machine /dev/kvm
 * may be there and die on the first instructions. The answer is kept for this host's kernel.
 * @param {string} architecture of the guest
 * @param {() => Promise<string>} vmlinuz a kernel to try with
 * @param {string} busybox an unpacked busybox-static
 * @returns {Promise<string>} what to give to -accel
 */
export async function accelerator(architecture, vmlinuz, busybox) {
  const forced = process.env.FDMAP_ACCEL;
  if (forced) return forced;
  if (architecture !== nativeArchitecture) return emulation;
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return emulation;
  }
  const note = join(cacheDir(), `kvm-${release()}`);
  if (!existsSync(note)) {
    const works = await bootsWithKvm(architecture, await vmlinuz(), busybox);
    writeFileSync(note, works ? 'yes' : 'no');
  }
  return readFileSync(note, 'utf8') === 'yes' ? 'kvm' : emulation;
}

/**
 * @param {string} architecture
 * @param {string} vmlinuz
 * @param {string} busybox
 * @returns {Promise<boolean>}
 */
async function bootsWithKvm(architecture, vmlinuz, busybox) {
  const archive = busyboxArchive(busybox);
  const script = [
    '#!/bin/busybox sh',
    '/bin/busybox mount -t devtmpfs devtmpfs /dev',
    `echo '@fdmap {"type":"end"}' >${resultDevice(architecture)}`,
    '/bin/busybox poweroff -f',
  ];
  archive.file('/init', `${script.join('\n')}\n`, 0o755);
  const name = 'kvm-probe';
  const initramfs = writeInitramfs(name, [archive.toBuffer()]);
  const outcome = await boot({
    name,
    architecture,
    vmlinuz,
    initramfs,
    memory: 256,
    limit: 20,
    accel: 'kvm',
  });
  rmSync(initramfs);
  return outcome.trouble.length === 0;
}
