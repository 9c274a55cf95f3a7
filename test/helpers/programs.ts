/** The loaded programs without the backends above them: raw contexts in, raw contexts out. */

import { afterAll, beforeAll } from 'vitest';
import { type Loaded, loadObject, type ObjectFile, onlyProgram, unload } from '../../src/loader/skeleton.ts';
import { Runner } from '../../src/sys/bpf.ts';
import { nativeDoor } from '../../src/sys/ffi.ts';
import { Memory } from '../../src/sys/memory.ts';

/** Loads an object of one program for the tests of a describe block; gives contexts for it. */
export function loadedFor(object: ObjectFile): (size: number) => Runner {
  let loaded: Loaded | undefined;
  beforeAll(() => {
    loaded = loadObject(nativeDoor!, object, { vpidLookup: false });
  });
  afterAll(() => {
    if (loaded) unload(nativeDoor!, loaded);
  });
  return (size) => new Runner(nativeDoor!, onlyProgram(loaded!), new Memory(nativeDoor!, size), size);
}
