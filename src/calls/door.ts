import { FdmapError } from '../errors.ts';
import type { Door } from '../sys/door.ts';
import { doorError, nativeDoor } from '../sys/ffi.ts';

/** @throws FdmapError ERR_FDMAP_UNSUPPORTED where there is no way to call the kernel by number */
export function requireDoor(syscall: string): Door {
  if (nativeDoor) return nativeDoor;
  throw new FdmapError('ERR_FDMAP_UNSUPPORTED', `${syscall} needs system calls by number`, {
    cause: doorError,
  });
}
