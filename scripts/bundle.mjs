// Turns what the compiler wrote to dist/ into few modules: core.cjs with what every program
// needs, a module for each of the PARTS, which is loaded by the first call into it, and the
// command, with what its sub-commands share and one module for each. fdmap/testing and fdmap/abi
// are one each. Types stay as they are.
//
// Loading is a large part of what a first call costs:
// - Compiling takes time in proportion to the text, used or not: hence the parts.
// - Each further module takes 0.2 to 1 ms: hence few of them.
// - A part must be there when a function of it returns, so that they are CommonJS modules:
//   require() is synchronous, import() is not. index.js hands on what core.cjs exports. The command
//   is CommonJS altogether: Node starts such a program without its loader of ES modules.
// - An import of a built-in module reads all its exports, whose lazy getters load the streams
//   along with node:fs. process.getBuiltinModule() (Node 20.16) does not.

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';

const DIST = join(import.meta.dirname, '../dist');
const INDEX = join(DIST, 'index.js');
const TESTING = join(DIST, 'testing.js');
const ABI = join(DIST, 'abi.js');
const CLI = join(DIST, 'cli');
const MAIN = join(CLI, 'main.js');

/**
 * The modules of each part, by their paths in dist/; what only they import comes along. Who
 * imports them from outside gets functions that load the part when they are called.
 */
const PARTS = {
  fdinfo: /^(calls|backends\/(kernel|proc))\/fdinfo\b/,
  pidinfo: /^(calls\/(pidinfo|process-list)|backends\/(kernel|proc)\/(pidinfo|executables))\b/,
  setup: /^calls\/(install|diagnose)\b/,
  image: /^(calls\/(image|users)|backends\/recorded|abi\/image)\b/,
  exec: /^calls\/exec\b/,
  readfiles: /^calls\/readfiles\b/,
};

const inDist = (id) => relative(DIST, id);
const partOf = (id) => Object.keys(PARTS).find((part) => PARTS[part].test(inDist(id)));

/** Modules of the package, with what they import of it and what they export. */
function modulesOf(directory) {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.js') && !file.startsWith('cli/'))
    .map((file) => {
      const id = join(directory, file);
      const { body } = parseAst(readFileSync(id, 'utf8'));
      const sources = body.flatMap(({ source }) => (source?.value.startsWith('.') ? [source.value] : []));
      return { id, imports: sources.map((source) => join(dirname(id), source)), body };
    });
}

/** Names of the functions and classes that a module exports; those can be had later, values cannot. */
function callables({ id, body }) {
  return body.flatMap(({ type, declaration }) => {
    if (type !== 'ExportNamedDeclaration' || !declaration) return [];
    if (declaration.type.endsWith('Declaration') && declaration.id) return [declaration.id.name];
    return declaration.declarations.map((each) => {
      if (each.init?.type !== 'ArrowFunctionExpression')
        throw new Error(`${inDist(id)} exports a value, ${each.id.name}: it cannot be the door of a part`);
      return each.id.name;
    });
  });
}

// Of an earlier build: what the compiler wrote are ES modules.
rmSync(join(CLI, 'package.json'), { force: true });
const modules = modulesOf(DIST);
/** Modules of parts that are imported from outside of them. */
const doors = modules.filter(({ id }) => {
  const part = partOf(id);
  return part && modules.some((other) => partOf(other.id) !== part && other.imports.includes(id));
});

const LOADER = '\0parts';
const stub = (id) => `\0stub:${id}`;

const loaderCode = `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const loaded = {};
export const part = (name) => (loaded[name] ??= require('./' + name + '.cjs'));
export const loadPart = part;
`;

/** A function stands for a class as well: what a constructor returns is what new gives. */
function stubCode(door) {
  const name = JSON.stringify(partOf(door.id));
  const functions = callables(door).map(
    (f) =>
      `export function ${f}(...args) {
  const { ${f}: loaded } = part(${name});
  return new.target ? new loaded(...args) : loaded(...args);
}`,
  );
  return [`import { part } from ${JSON.stringify(LOADER)};`, ...functions].join('\n');
}

const parts = {
  name: 'parts',
  resolveId(source, importer) {
    if (source === LOADER || source.startsWith('\0part:')) return source;
    if (!importer || !source.startsWith('.')) return undefined;
    const id = join(dirname(importer), source);
    if (id === join(DIST, 'parts.js')) return LOADER;
    const part = partOf(id);
    return part && part !== partOf(importer) ? stub(id) : undefined;
  },
  load(id) {
    if (id === LOADER) return loaderCode;
    if (id.startsWith('\0part:')) {
      const own = doors.filter((door) => `\0part:${partOf(door.id)}` === id);
      return own.map((door) => `export * from ${JSON.stringify(door.id)};`).join('\n');
    }
    const door = doors.find((each) => stub(each.id) === id);
    return door && stubCode(door);
  },
};

async function bundle(input, external, output, options = {}) {
  const build = await rolldown({ input, platform: 'node', external: [/^node:/, ...external], ...options });
  const { output: chunks } = await build.generate(output);
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

/** Comments stay in the sources and in the types. */
const COMMONJS = {
  format: 'cjs',
  comments: { legal: true, annotation: false, jsdoc: false },
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
};

const inputs = { index: INDEX, ...Object.fromEntries(Object.keys(PARTS).map((p) => [p, `\0part:${p}`])) };
const [alone] = await bundle(INDEX, [], {}, { plugins: [parts] });
const inCore = new Set(alone.moduleIds);
const library = await bundle(
  inputs,
  [],
  { ...COMMONJS, codeSplitting: { groups: [{ name: 'core', test: (id) => inCore.has(id) }] } },
  // Without it the parts would ask core.cjs for each offset of a layout, by a getter.
  { plugins: [parts], optimization: { inlineConst: true } },
);

const APART = /\/(main|help|version|users)\.js$|\/commands\/|\/columns\/(?!column\.js)/;
const isShared = (id) => id.startsWith(CLI) && !APART.test(id);
const command = await bundle(MAIN, [/\/index\.js$/], {
  ...COMMONJS,
  entryFileNames: '[name].js',
  // Everything but what is only imported when it is asked for, and what only that needs.
  codeSplitting: { groups: [{ name: 'command', test: isShared }] },
});
const testing = await bundle(TESTING, [/\/index\.js$/], {});
const abi = await bundle(ABI, [/\/index\.js$/], {});

clear([...library, ...command, ...testing, ...abi]);
for (const { fileName, code } of library) writeFileSync(join(DIST, fileName), code);
const names = library.find(({ fileName }) => fileName === 'index.cjs').exports;
writeFileSync(
  INDEX,
  `const { createRequire } = process.getBuiltinModule('node:module');
export const {
${names.map((name) => `  ${name},`).join('\n')}
} = createRequire(import.meta.url)('./index.cjs');
`,
);
writeFileSync(TESTING, withBuiltins(testing[0].code));
writeFileSync(ABI, withBuiltins(abi[0].code));
for (const { fileName, code } of command) {
  writeFileSync(
    join(CLI, fileName),
    code.replaceAll(/require\("(\.\.?\/)+index\.js"\)/g, 'require("../index.cjs")'),
  );
}
// What is beside it is CommonJS, whatever the package's own modules are.
writeFileSync(join(CLI, 'package.json'), '{ "type": "commonjs" }\n');
chmodSync(MAIN, 0o755);
if (!readFileSync(MAIN, 'utf8').startsWith('#!/usr/bin/env node\n'))
  throw new Error('the command lost its first line');
