// Turns what the compiler wrote to dist/ into one module, dist/index.js. Types and the
// command's files stay as they are.
//
// Loading is a large part of what a first call costs: each further module takes 0.5 to 1 ms,
// and an import statement of a built-in module reads all its exports, whose lazy getters
// load the streams along with node:fs. process.getBuiltinModule() (Node 20.16) does not.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const DIST = join(import.meta.dirname, '../dist');
const ENTRY = join(DIST, 'index.js');

const bundle = await rolldown({ input: ENTRY, platform: 'node', external: /^node:/ });
const { output } = await bundle.generate({ format: 'esm' });
await bundle.close();
const [chunk] = output;
if (output.length !== 1) throw new Error(`one module was wanted, not ${output.length}: a dynamic import?`);

const code = chunk.code.replace(
  /^import \{([^}]*)\} from "(node:[\w/]+)";$/gm,
  (_, names, module) =>
    `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule(${JSON.stringify(module)});`,
);
const left = /^import\b.*$/m.exec(code);
if (left) throw new Error(`not replaced: ${left[0]}`);

writeFileSync(ENTRY, code);
for (const module of chunk.moduleIds) if (module !== ENTRY && module.startsWith(DIST)) rmSync(module);
