import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import { open } from '../../src/index.ts';
import { compile, openDirectory } from '../helpers/compile.ts';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';

const directory = openDirectory();
const numbers = (text: string) => text.split('\n').filter(Boolean).map(Number);
const ascending = (a: number, b: number) => a - b;

for (const backend of ['kernel', 'proc'] as const) {
  needs('lsof', backend).test(`fdmap is what lsof and readdir(3) in C list [${backend}]`, async () => {
    const { pid } = await sleeper('3</etc/passwd 7</ 9</dev/null <&-');
    using handle = open({ backend });
    const asked = [...handle.fdmap(pid)];
    const lines = execFileSync('lsof', ['-p', String(pid), '-Ff'], { encoding: 'utf8' }).split('\n');
    const byLsof = lines.filter((line) => /^f\d+$/.test(line)).map((line) => Number(line.slice(1)));
    const byReaddir = numbers(
      execFileSync(compile('test/c/descriptors.c', directory), [String(pid)], { encoding: 'utf8' }),
    );
    expect(asked).toEqual([1, 2, 3, 7, 9]);
    expect(byLsof.sort(ascending)).toEqual(asked);
    expect(byReaddir.sort(ascending)).toEqual(asked);
  });
}
