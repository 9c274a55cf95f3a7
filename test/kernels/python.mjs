import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './exec.mjs';
import { copyLibraries, copyProgram } from './libraries.mjs';
import { cacheDir, root } from './paths.mjs';

/** Debian's own: another one, first in PATH, may have packages that look for more. */
const python = '/usr/bin/python3';

/**
 * Compiles what the scripts named import, and what that imports, into a folder, by the paths that the
 * modules have here; prints where native modules are. Under emulation, compiling takes longer than the tests.
 */
const collect = `
import ast, importlib, os, py_compile, sys
out, *scripts = sys.argv[1:]
names = {'encodings.idna', 'encodings.ascii', 'encodings.latin_1', 'site', 'runpy'}
for script in scripts:
    for node in ast.walk(ast.parse(open(script).read())):
        if isinstance(node, ast.Import): names.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom): names.add(node.module)
for name in names: importlib.import_module(name)
for module in list(sys.modules.values()):
    file = getattr(module, '__file__', None)
    if file and file.endswith('.py'):
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(file, out + file + 'c', invalidation_mode=mode)
    elif file: print(file)
`;

/**
 * Python for the worlds of the suite that are written in it; nothing where this machine has none.
 * @param {import('./cpio.mjs').Archive} archive
 */
export async function addPython(archive) {
  if (!existsSync(python)) return;
  await copyProgram(archive, python, '/usr/bin/python3');
  const scripts = readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => join(root, 'test', String(name)))
    .filter((name) => name.endsWith('.py'));
  const out = cacheDir('python');
  rmSync(out, { recursive: true });
  const native = await run(python, ['-I', '-S', '-c', collect, out, ...scripts]);
  for (const name of readdirSync(out, { recursive: true }).map(String)) {
    const compiled = join(out, name);
    if (statSync(compiled).isFile()) archive.file(`/${name}`, readFileSync(compiled));
  }
  for (const file of native.split('\n').filter(Boolean)) {
    archive.copy(realpathSync(file), file);
    await copyLibraries(archive, file);
  }
}
