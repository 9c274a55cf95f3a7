// Compiles bpf/ into assets/ and generates the layouts that TypeScript reads with.
//
//   node scripts/build-bpf.mjs           build
//   node scripts/build-bpf.mjs --check   build elsewhere and compare with what is committed
//
// Needs Debian's clang, llvm, bpftool and libbpf-dev. Users of the package need none of them.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compile, macrosOf, toolVersions, typesOf } from './bpf/compile.mjs';
import { withRecords } from './bpf/header.mjs';
import { contextLayouts } from './bpf/layout.mjs';
import { objectTable, skeletonOf } from './bpf/skeleton.mjs';
import { bpfTypesModule, uapiModule } from './bpf/uapi.mjs';

const ROOT = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const work = mkdtempSync(join(tmpdir(), 'fdmap-bpf-'));

/** @type {Map<string, Buffer | string>} path in the project → content */
const outputs = new Map();

const stems = readdirSync(join(ROOT, 'bpf'))
  .filter((name) => name.endsWith('.bpf.c'))
  .map((name) => basename(name, '.bpf.c'))
  .sort();
const objects = [];
for (const stem of stems) {
  const object = compile(ROOT, `bpf/${stem}.bpf.c`, join(work, `${stem}.o`));
  const skeleton = skeletonOf(object, stem);
  outputs.set(`assets/${stem}.data`, skeleton.data);
  outputs.set(`assets/${stem}.insns`, skeleton.insns);
  objects.push(skeleton);
}
outputs.set('assets/TOOLS', toolVersions());
outputs.set('src/loader/objects.gen.ts', objectTable(objects));
const types = typesOf(compile(ROOT, 'bpf/types.c', join(work, 'types.o')));
outputs.set('src/abi/layout.gen.ts', contextLayouts(types, macrosOf(ROOT, 'bpf/fdmap.h')));
outputs.set('src/sys/uapi.gen.ts', uapiModule(types));
outputs.set('src/abi/fdinfo/bpf-types.gen.ts', bpfTypesModule(types));
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
outputs.set(
  'include/fdmap.h',
  withRecords(read('include/fdmap.h'), [read('bpf/fdmap.h'), read('bpf/fdinfo.h')]),
);
rmSync(work, { recursive: true });

if (check) {
  const committedTools = readFileSync(join(ROOT, 'assets/TOOLS'), 'utf8');
  const differing = [...outputs].filter(([path, content]) => {
    return !Buffer.from(content).equals(readFileSync(join(ROOT, path)));
  });
  if (differing.length === 0) {
    console.log(`${outputs.size} generated files are as committed`);
  } else if (committedTools !== outputs.get('assets/TOOLS') && !process.env.CI) {
    console.log(
      `not compared: built with other tools.\ncommitted:\n${committedTools}here:\n${toolVersions()}`,
    );
  } else {
    for (const [path] of differing) console.error(`differs from what is committed: ${path}`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(join(ROOT, 'assets'), { recursive: true });
  for (const [path, content] of outputs) writeFileSync(join(ROOT, path), content);
  for (const { name, data, insns } of objects) {
    console.log(`${name}: ${data.length} bytes of data, ${insns.length} of instructions`);
  }
}
