// Turns what the compiler wrote to dist/ into few modules: dist/index.js is one, the command
// is one for what all its sub-commands share and one for each of them, fdmap/testing and fdmap/abi
// are one each. Types stay as they are.
//
// Loading is a large part of what a first call costs: each further module takes 0.5 to 1 ms,
// and an import statement of a built-in module reads all its exports, whose lazy getters
// load the streams along with node:fs. process.getBuiltinModule() (Node 20.16) does not.

import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const DIST = join(import.meta.dirname, '../dist');
const INDEX = join(DIST, 'index.js');
const TESTING = join(DIST, 'testing.js');
const ABI = join(DIST, 'abi.js');
const CLI = join(DIST, 'cli');
const MAIN = join(CLI, 'main.js');

async function bundle(input, external, output) {
  const build = await rolldown({ input, platform: 'node', external: [/^node:/, ...external] });
  const { output: chunks } = await build.generate({ format: 'esm', ...output });
  await build.close();
  return chunks;
}

const withBuiltins = (code) =>
  code.replace(
    /^import \{([^}]*)\} from "(node:[\w/]+)";$/gm,
    (_, names, module) =>
      `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule(${JSON.stringify(module)});`,
  );

/** Before anything is written: the compiler's modules that are in a chunk now, or in several. */
function clear(chunks) {
  for (const { moduleIds } of chunks) {
    for (const module of moduleIds) if (module.startsWith(DIST)) rmSync(module, { force: true });
  }
}

const APART = /\/(main|help|version|users)\.js$|\/commands\/|\/columns\/(?!column\.js)/;
const isShared = (id) => id.startsWith(CLI) && !APART.test(id);

const command = await bundle(MAIN, [/\/index\.js$/], {
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  // Everything but what is only imported when it is asked for, and what only that needs.
  codeSplitting: { groups: [{ name: 'command', test: isShared }] },
});

const testing = await bundle(TESTING, [/\/index\.js$/], {});
const abi = await bundle(ABI, [/\/index\.js$/], {});
const library = await bundle(INDEX, [], {});
if (library.length !== 1) throw new Error(`one module was wanted, not ${library.length}: a dynamic import?`);
const code = withBuiltins(library[0].code);
const left = /^import\b.*$/m.exec(code);
if (left) throw new Error(`not replaced: ${left[0]}`);

clear([...library, ...command, ...testing, ...abi]);
writeFileSync(INDEX, code);
writeFileSync(TESTING, withBuiltins(testing[0].code));
writeFileSync(ABI, withBuiltins(abi[0].code));
for (const { fileName, code } of command) writeFileSync(join(CLI, fileName), withBuiltins(code));
chmodSync(MAIN, 0o755);
if (!readFileSync(MAIN, 'utf8').startsWith('#!/usr/bin/env node\n'))
  throw new Error('the command lost its first line');
