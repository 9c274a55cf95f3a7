/**
 * The only file that knows the FFI library. koffi's platform packages are loaded
 * directly: no install script, and half the load time of its wrapper.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Door } from './door.ts';
import { SYSCALLS } from './uapi.gen.ts';

interface Koffi {
  load(path: string | null): {
    func(name: string, result: string, args: string[]): (...args: number[]) => number;
  };
  address(buffer: ArrayBuffer): bigint;
  errno(): number;
}

/** Why there is no door, for messages and `fdmap doctor`; undefined when there is one. */
export let doorError: Error | undefined;

/**
 * Loaded with the module: a first call must not need a descriptor to find its
 * library. Undefined on architectures without a platform package.
 */
export const nativeDoor: Door | undefined = openDoor();

/**
 * The package's own loader reads this program's ELF headers to learn its C library, for 2 ms.
 * Where there is no musl at all, the answer is known.
 */
function loadKoffi(arch: 'x64' | 'arm64'): Koffi {
  const require = createRequire(import.meta.url);
  const name = `@koromix/koffi-linux-${arch}`;
  if (!existsSync(`/lib/ld-musl-${arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`)) {
    try {
      return require(`${name}/linux_${arch}/koffi.node`) as Koffi;
    } catch {
      // The package's own loader has the last word, and gives the reason.
    }
  }
  return require(name) as Koffi;
}

function openDoor(): Door | undefined {
  const arch = process.arch;
  if (arch !== 'x64' && arch !== 'arm64') {
    doorError = new Error(`no system-call numbers for ${arch}`);
    return undefined;
  }
  try {
    const koffi = loadKoffi(arch);
    // null: the symbols of the process itself, whichever C library it is linked with.
    const library = koffi.load(null);
    const long = (count: number) => Array<string>(count).fill('long');
    const call7 = library.func('syscall', 'long', long(7));
    const call4 = library.func('syscall', 'long', long(4));
    const bpfNumber = SYSCALLS[arch].bpf;
    return {
      syscall(number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) {
        const result = call7(number, a, b, c, d, e, f);
        return result === -1 ? -koffi.errno() : result;
      },
      bpf(command, attr, size) {
        const result = call4(bpfNumber, command, attr, size);
        return result === -1 ? -koffi.errno() : result;
      },
      address: (buffer) => Number(koffi.address(buffer)),
    };
  } catch (error) {
    doorError = error as Error;
    return undefined;
  }
}
