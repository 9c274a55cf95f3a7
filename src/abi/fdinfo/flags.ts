/** Bits of open(2), access modes, devices and lists of bits, by name. */

/** include/uapi/asm-generic/fcntl.h, and arch/arm64/include/uapi/asm/fcntl.h where that differs. */
const openFlags = (arm64: boolean): readonly (readonly [number, string])[] => [
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o400, 'O_NOCTTY'],
  [0o1000, 'O_TRUNC'],
  [0o2000, 'O_APPEND'],
  [0o4000, 'O_NONBLOCK'],
  [0o20000, 'O_ASYNC'],
  [arm64 ? 0o200000 : 0o40000, 'O_DIRECT'],
  [arm64 ? 0o400000 : 0o100000, 'O_LARGEFILE'],
  [arm64 ? 0o40000 : 0o200000, 'O_DIRECTORY'],
  [arm64 ? 0o100000 : 0o400000, 'O_NOFOLLOW'],
  [0o1000000, 'O_NOATIME'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
];
const FLAGS_OF_ARM64 = openFlags(true);
const FLAGS = openFlags(false);
const O_DSYNC = 0o10000;
const O_SYNC_ONLY = 0o4000000;
const O_TMPFILE_ONLY = 0o20000000;
const ACCESS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR'];
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

function namesOf(flags: number, arm64: boolean): string[] {
  const names: string[] = [];
  const access = flags & O_PATH ? undefined : ACCESS[flags & 3];
  if (access) names.push(access);
  for (const [bit, name] of arm64 ? FLAGS_OF_ARM64 : FLAGS) if (flags & bit) names.push(name);
  if (flags & O_SYNC_ONLY) names.push('O_SYNC');
  else if (flags & O_DSYNC) names.push('O_DSYNC');
  if (flags & O_TMPFILE_ONLY) names.push('O_TMPFILE');
  return names;
}

/** What `make` makes of a number, kept: of many rows few differ. */
function remembered<T>(make: (value: number) => T): (value: number) => T {
  const known = new Map<number, T>();
  return (value) => {
    let made = known.get(value);
    if (made === undefined) {
      // Descriptors of a hostile process may have any flags.
      if (known.size === MOST_KNOWN) known.clear();
      made = make(value);
      known.set(value, made);
    }
    return made;
  };
}
const MOST_KNOWN = 4096;

const namesOfArm64 = remembered((flags): readonly string[] => Object.freeze(namesOf(flags, true)));
const namesOfOthers = remembered((flags): readonly string[] => Object.freeze(namesOf(flags, false)));

/**
 * By name; a list that all rows with these flags share.
 *
 * @param arch process.arch of the machine that the flags are of
 */
export const openFlagNames = (flags: number, arch: string): readonly string[] =>
  arch === 'arm64' ? namesOfArm64(flags) : namesOfOthers(flags);

/** `"8:1"` of the kernel's own form (include/linux/kdev_t.h). */
export const deviceName = remembered((dev) => `${dev >>> 20}:${dev & 0xfffff}`);

/** The kernel's form of st_dev as stat(2) gives it: new_decode_dev() of the same header. */
export function kernelDevice(dev: number | bigint): number {
  const number = Number(dev);
  const low = (number % 2 ** 32) >>> 0;
  const major = (low & 0xfff00) >>> 8;
  const minor = (low & 0xff) | ((low >>> 12) & 0xfff00);
  return ((major << 20) | minor) >>> 0;
}

/** Names of the bits that are set; those without a name as one hexadecimal number. */
export function bitNames(value: number, names: readonly (readonly [number, string])[]): string[] {
  const found: string[] = [];
  let rest = value;
  for (const [bit, name] of names) {
    if ((rest & bit) === 0) continue;
    found.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) found.push(`0x${(rest >>> 0).toString(16)}`);
  return found;
}

/** Flags of a class where the backend cannot tell. */
export const UNKNOWN_FLAGS = 0xffff_ffff;
