import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './exec.mjs';
import { cacheDir } from './paths.mjs';

/** Where it is in the guest: FDMAP_TEST_APPARMOR. */
export const guestProfile = '/etc/apparmor-profile';

/**
 * What test/install/apparmor.test.ts puts callers under: they may do what they like, but look into
 * other processes.
 */
const profile = `abi <abi/kernel-5.4-vanilla>,
profile fdmap-confined {
  file,
  capability,
  network,
  signal,
  mount,
  umount,
  change_profile,
}
`;

/**
 * The profile in the form that kernels take, by the compiler of Debian's package of this machine's own
 * release, which need not be installed: the guest has none.
 * @param {import('./apt.mjs').Apt} apt of this machine's architecture
 * @returns {Promise<Buffer>}
 */
export async function compileProfile(apt) {
  const text = await run('apt-cache', ['show', '--no-all-versions', 'apparmor']);
  const version = /^Version: (.*)$/m.exec(text)?.[1] ?? '';
  const folder = await apt.unpack({ name: 'apparmor', version, architecture: apt.architecture });
  const dir = cacheDir('apparmor');
  const [source, output, settings] = ['profile', 'compiled', 'parser.conf'].map((name) => join(dir, name));
  writeFileSync(source, profile);
  writeFileSync(settings, '');
  const base = join(folder, 'etc/apparmor.d');
  await run(join(folder, 'sbin/apparmor_parser'), [
    ...['--config-file', settings, '--skip-kernel-load', '--skip-cache', '--base', base],
    ...['--features-file', join(base, 'abi/kernel-5.4-vanilla'), '--ofile', output, source],
  ]);
  return readFileSync(output);
}
