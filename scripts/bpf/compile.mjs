// The compiler and bpftool, as commands.

import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { arch } from 'node:os';

/** Debian's path of the kernel's own headers, by Node's name of the architecture. */
const INCLUDE = { x64: '/usr/include/x86_64-linux-gnu', arm64: '/usr/include/aarch64-linux-gnu' };

const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });

/** bpftool lives in /usr/sbin, which an ordinary user may not have in PATH. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
export const bpftool = (...args) => run('bpftool', args, { env });

/**
 * One object file, without DWARF. Sources are named relative to the project,
 * so that the line information is the same wherever it is built.
 */
export function compile(root, source, output) {
  const flags = [
    '-g',
    '-O2',
    '-target',
    'bpf',
    '-mcpu=v3',
    '-Wall',
    '-Werror',
    '-Ibpf',
    `-I${INCLUDE[arch()]}`,
  ];
  // Or the object would name the folder that it was built in.
  flags.push(`-fdebug-prefix-map=${realpathSync(root)}=.`);
  run('clang', [...flags, '-c', source, '-o', output], { cwd: root });
  run('llvm-strip', ['-g', output]);
  return output;
}

/** BTF of an object, as bpftool prints it. */
export const typesOf = (object) => JSON.parse(bpftool('-j', 'btf', 'dump', 'file', object)).types;

/** Numeric macros that a header defines itself. */
export function macrosOf(root, header) {
  const all = run('clang', ['-E', '-dM', `-I${INCLUDE[arch()]}`, header], { cwd: root });
  const macros = [];
  for (const [, name, value] of all.matchAll(/^#define ([A-Z]\w+) (.+)$/gm)) {
    if (!/^(FD|PID)[A-Z]+_/.test(name)) continue;
    const shifted = /^\((\d+)U? << (\d+)\)$/.exec(value);
    if (shifted) macros.push([name, Number(shifted[1]) * 2 ** Number(shifted[2])]);
    else if (/^(0x)?[\da-f]+$/i.test(value)) macros.push([name, Number(value)]);
  }
  return macros.sort(([a], [b]) => (a < b ? -1 : 1));
}

export const toolVersions = () =>
  `${run('clang', ['--version']).split('\n')[0]}\n${bpftool('version').split('\n').slice(0, 2).join(', ')}\n`;
