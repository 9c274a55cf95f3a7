// The parts of the kernel matrix that need no machine: what they read and what they conclude.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FEATURES } from '../../src/backends/features.ts';
import { compareVersions, selectKernel } from './catalogue.mjs';
import { Archive } from './cpio.mjs';
import { features, programs, verdict } from './features.mjs';
import { root } from './paths.mjs';
import { expectedTier, plain, special, steps } from './plan.mjs';
import { findKernelTrouble, parseEvents } from './qemu.mjs';
import { toRows } from './rows.mjs';
import { inSpecialBoots, isStatedSkip, notInShort } from './selection.mjs';
import { kernelSources, parseDeb822, parseOneLine } from './sources.mjs';
import { doctorRows, featureRows, productRows } from './stated.mjs';
import { documentation, replaceBetweenMarkers } from './table.mjs';

/** @type {string[]} */
const dirs = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

describe('sources', () => {
  /** @param {Record<string, string>} files of a folder like /etc/apt */
  const etc = (files) => {
    const dir = mkdtempSync(join(tmpdir(), 'apt-'));
    dirs.push(dir);
    mkdirSync(join(dir, 'sources.list.d'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    return dir;
  };

  it('derives every suite from the mirror that the machine uses', () => {
    const dir = etc({
      'sources.list.d/debian.sources':
        'Types: deb\nURIs: mirror:/here\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /key\n\n' +
        '# a comment\nTypes: deb\nURIs: mirror:/there\nSuites: bookworm-security\nComponents: main\n',
    });
    const [main, security] = parseDeb822(kernelSources(dir));
    expect(main?.get('uris')).toBe('mirror:/here');
    expect(main?.get('suites')).toBe('bookworm bookworm-backports trixie trixie-backports');
    expect(main?.get('signed-by')).toBe('/key');
    expect(security?.get('uris')).toBe('mirror:/there');
    expect(security?.has('signed-by')).toBe(false);
  });

  it('reads the one-line style', () => {
    const line =
      'deb [arch=amd64 signed-by=/key] mirror:/here trixie main contrib\n#deb mirror:/no sid main\n';
    const [stanza, ...more] = parseOneLine(`${line}deb-src mirror:/no trixie main\n`);
    expect(more).toEqual([]);
    expect(stanza?.get('suites')).toBe('trixie');
    expect(stanza?.get('signed-by')).toBe('/key');
  });

  it('keeps a key that is written into the stanza', () => {
    const [stanza] = parseDeb822('Types: deb\nSigned-By:\n -----BEGIN\n .\n -----END\nURIs: mirror:/here\n');
    expect(stanza?.get('signed-by')).toBe('\n -----BEGIN\n .\n -----END');
  });

  it('refuses a machine without Debian, and sources that are switched off', () => {
    const off = 'Types: deb\nEnabled: no\nURIs: mirror:/here\nSuites: trixie\nComponents: main\n';
    expect(() => kernelSources(etc({}))).toThrow(/no Debian archive/);
    expect(() => kernelSources(etc({ 'sources.list.d/a.sources': off }))).toThrow(/no Debian archive/);
  });
});

describe('catalogue', () => {
  const kernels = ['6.1.9', '6.1.10', '6.12.3', '7.0.1'].map((version) => ({
    version,
    release: version,
    image: { name: '', version, architecture: 'amd64' },
    modules: { name: '', version, architecture: 'amd64' },
    architecture: 'amd64',
  }));

  it('compares numbers, not text', () => {
    expect(compareVersions('6.9', '6.12')).toBeLessThan(0);
    expect(compareVersions('6.12', '6.12.0')).toBe(0);
    expect(compareVersions('7.0', '6.99.99')).toBeGreaterThan(0);
  });

  it('takes the newest that fits, and nothing else', () => {
    expect(selectKernel(kernels, '6.1')?.version).toBe('6.1.10');
    expect(selectKernel(kernels, '6.1.9')?.version).toBe('6.1.9');
    expect(selectKernel(kernels, 'newest')?.version).toBe('7.0.1');
    expect(selectKernel(kernels, '6')?.version).toBe('6.12.3');
    expect(selectKernel(kernels, '5.10')).toBeUndefined();
  });
});

describe('archive', () => {
  it('is a newc archive: padded to four, parents first, an end', () => {
    const archive = new Archive();
    archive.file('/a/b', 'xyz', 0o755);
    archive.symlink('/a/c', 'b');
    const text = archive.toBuffer().toString('latin1');
    expect(text.length % 4).toBe(0);
    const entries = [...text.matchAll(/070701[0-9a-f]{104}([^\0]+)\0/g)].map((match) => match[1]);
    expect(entries).toEqual(['a', 'a/b', 'a/c', 'TRAILER!!!']);
    expect(text).toContain('000081ed');
    expect(archive.toBuffer().equals(archive.toBuffer())).toBe(true);
  });
});

describe('verdicts', () => {
  it('fails what is stated and missing, reports what is early', () => {
    expect(verdict('6.12.3', '6.10', true)).toBe('ok');
    expect(verdict('6.12.3', '6.10', false)).toBe('missing');
    expect(verdict('6.1.10', '6.10', false)).toBe('no');
    expect(verdict('6.1.10', '6.10', true)).toBe('early');
    expect(verdict('6.1.10', undefined, true)).toBe('unstated');
  });

  it('states since when kernels take each object that is compiled', () => {
    const compiled = readdirSync(join(root, 'assets'))
      .filter((name) => name.endsWith('.insns'))
      .map((name) => name.replace(/\.insns$/, ''));
    expect(Object.keys(programs).sort()).toEqual(compiled.sort());
  });

  it('states of each feature that doctor knows what doctor states', () => {
    const stated = features
      .filter(({ doctor }) => doctor !== undefined)
      .map(({ doctor, since, commit }) => ({ name: doctor, since, commit }));
    const told = FEATURES.map(({ name, since, commit }) => ({ name, since, commit }));
    /** @type {(a: {name?: string}, b: {name?: string}) => number} */
    const byName = (a, b) => String(a.name).localeCompare(String(b.name));
    expect(stated.sort(byName)).toEqual(told.sort(byName));
  });

  it('takes no silence for an answer', () => {
    /** @param {import('./stated.mjs').Row[]} rows */
    const failed = (rows) => rows.filter(({ result }) => result === 'FAIL').map(({ feature }) => feature);
    const all = Object.fromEntries(features.map(({ id }) => [id, true]));
    expect(failed(featureRows('7.0', all))).toEqual([]);
    expect(failed(featureRows('7.0', {}))).toEqual(features.map(({ id }) => id));
    expect(failed(featureRows('7.0', undefined))).toEqual(features.map(({ id }) => id));
    expect(failed(featureRows('7.0', { ...all, another: true }))).toEqual(['another']);

    const loaded = { loads: true, ms: 1, error: '' };
    const objects = Object.fromEntries(Object.keys(programs).map((name) => [name, loaded]));
    expect(failed(productRows('7.0', 'A', { tier: 'A', programs: objects }))).toEqual([]);
    expect(failed(productRows('7.0', 'A', { tier: 'A' }))).toHaveLength(Object.keys(programs).length);

    const told = FEATURES.map(({ name, since }) => ({ name, since, works: true, reason: 'tried' }));
    expect(failed(doctorRows('7.0', 'A', { tier: 'A', features: told }))).toEqual([]);
    expect(failed(doctorRows('7.0', 'A', { tier: 'A', features: told.slice(1) }))).toHaveLength(1);
    expect(failed(doctorRows('7.0', 'A', { tier: 'A', features: [] }))).toHaveLength(told.length);
    expect(failed(doctorRows('7.0', 'C', { tier: 'C', features: [] }))).toHaveLength(told.length);
    expect(failed(doctorRows('7.0', 'A', undefined))).toHaveLength(told.length + 1);
    const untried = told.map((one) => ({ ...one, works: null, reason: 'not permitted' }));
    expect(failed(doctorRows('7.0', 'A', { tier: 'A', features: untried }))).toHaveLength(told.length);
    const later = told.map((one) => ({ ...one, since: '7.0' }));
    expect(failed(doctorRows('7.0', 'A', { tier: 'A', features: later }))).toHaveLength(told.length);
  });

  it('knows the tier of a kernel and of a boot', () => {
    const locked = special.find(({ name }) => name === 'lockdown=confidentiality') ?? plain;
    expect(expectedTier('6.1.192', plain)).toBe('B');
    expect(expectedTier('6.9.12', plain)).toBe('B');
    expect(expectedTier('6.10', plain)).toBe('A');
    expect(expectedTier('5.10.3', plain)).toBe('C');
    expect(expectedTier('6.12.3', locked)).toBe('C');
  });
});

describe('selection', () => {
  const has = { suite: true, product: true, doctor: true, programs: true, profile: true };
  /** @type {import('./plan.mjs').Wanted} */
  const nothing = { all: false, files: [] };
  const argv = (/** @type {import('./plan.mjs').Variant} */ variant, wanted = nothing) =>
    steps(variant, has, 'A', wanted, 'amd64').find(({ name }) => name === 'suite')?.argv ?? [];
  const tests = readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => `test/${name}`)
    .filter((name) => name.endsWith('.test.ts'));

  it('names files that there are and that run, in every boot', () => {
    for (const variant of [plain, ...special].filter(({ files }) => files.length > 0)) {
      const wanted = argv(variant).slice(argv(variant).findIndex((part) => part.endsWith('suite.mjs')) + 1);
      const named = wanted.filter((part) => !part.startsWith('--not='));
      const unwanted = wanted.flatMap((part) => /^--not=(.*)/.exec(part)?.[1] ?? []);
      const runs = (/** @type {string} */ part) =>
        tests.some((name) => name.includes(part) && !unwanted.some((other) => name.includes(other)));
      expect(named).toEqual(variant.files);
      expect([variant.name, named.filter((part) => !runs(part))]).toEqual([variant.name, []]);
    }
  });

  it('leaves to special boots what these run, and only where they are made', () => {
    const files = special.flatMap((variant) => variant.files);
    for (const part of inSpecialBoots) {
      const name = tests.find((test) => test.includes(part));
      expect([part, files.some((file) => name?.includes(file))]).toEqual([part, true]);
      expect(argv(plain)).not.toContain(`--not=${part}`);
      expect(argv(plain, { ...nothing, specialToo: true })).toContain(`--not=${part}`);
    }
  });

  it('of a short run: something in every boot, without the slowest, each program by one way', () => {
    const short = { ...nothing, short: true, specialToo: true };
    for (const variant of [plain, ...special].filter(({ files }) => files.length > 0)) {
      const parts = argv(variant, short);
      for (const slow of notInShort) expect(parts).toContain(`--not=${slow}`);
      const runs = tests.filter(
        (name) =>
          variant.files.some((part) => name.includes(part)) &&
          !parts.some((part) => part.startsWith('--not=') && name.includes(part.slice('--not='.length))),
      );
      expect([variant.name, runs.length > 0]).toEqual([variant.name, true]);
    }
    const suite = steps(plain, has, 'A', short, 'amd64').find(({ name }) => name === 'suite');
    expect(suite?.env?.FDMAP_TEST_BACKEND).toBe('pinned,kernel');
  });

  it('is left aside by --all and --file', () => {
    expect(argv(plain)).toContain('backends/');
    expect(argv(plain, { all: true, files: [] })).not.toContain('backends/');
    expect(argv(plain, { all: false, files: ['pidmap'] }).at(-1)).toBe('pidmap');
  });
});

describe('console', () => {
  it.each([
    '[    5.8] Kernel panic - not syncing: sysrq triggered crash',
    '[    5.8] BUG: kernel NULL pointer dereference, address: 0000000000000008',
    '[    5.8] WARNING: CPU: 0 PID: 1 at kernel/bpf/verifier.c:1 foo+0x1/0x2',
    '[    5.8] WARNING: kernel/bpf/verifier.c:1 at foo+0x1/0x2, CPU#0: node/1',
    '[    5.8] WARNING: suspicious RCU usage',
    '[    5.8] Oops: 0000 [#1] PREEMPT SMP',
    '[    5.8] verifier bug: not inlined functions bpf_probe_read_kernel#113 is missing func(1)',
    '[    5.8] Out of memory: Killed process 180 (node)',
  ])('%s', (line) => {
    expect(findKernelTrouble(`fine\r\n${line}\r\nfine`)).toEqual([line]);
  });

  it('lets ordinary lines pass', () => {
    const text =
      "mtrr: your CPUs had inconsistent settings\nwarning: `node' uses wireless extensions\nno bugs";
    expect(findKernelTrouble(text)).toEqual([]);
  });

  it('finds results among other lines, and says which are damaged', () => {
    const events = parseEvents('noise\r\n@fdmap {"type":"end"}\r\n[ 1.0] x @fdmap {"type":"st\r\n');
    expect(events.map(({ type }) => type)).toEqual(['end', 'garbled']);
  });
});

describe('rows', () => {
  const kernel = {
    version: '6.12.3',
    release: '6.12.3',
    image: { name: '', version: '', architecture: 'amd64' },
    modules: { name: '', version: '', architecture: 'amd64' },
    architecture: 'amd64',
  };
  const planned = [{ name: 'suite', argv: [], limit: 1 }];
  /** @param {Record<string, unknown>[]} events @param {string[]} [trouble] */
  const boot = (events, trouble = []) =>
    toRows(kernel, plain, planned, { console: '', events, trouble, seconds: 1, rss: 1, cpu: 1, log: '' });
  const file = { type: 'file', step: 'suite', file: 'test/a.test.js', ms: 1, failures: [], skips: [] };
  /** @param {import('./rows.mjs').Row[]} rows @param {string} feature */
  const result = (rows, feature) => rows.find((row) => row.feature === feature)?.result;

  it('a suite that tested nothing has failed', () => {
    const step = { type: 'step', name: 'suite', code: 0, seconds: 1 };
    expect(result(boot([step]), 'suite')).toBe('FAIL');
    const skipped = { ...file, passed: 0, failed: 0, skipped: 3 };
    expect(result(boot([skipped, step]), 'suite')).toBe('FAIL');
    const passed = { ...file, passed: 1, failed: 0, skipped: 3 };
    expect(result(boot([passed, step]), 'suite')).toBe('ok');
  });

  it('a skip that is not stated has failed', () => {
    const step = { type: 'step', name: 'suite', code: 0, seconds: 1 };
    const skipping = (/** @type {string} */ note) => {
      const skips = [{ name: 'a test', note }];
      return result(boot([{ ...file, passed: 1, failed: 0, skipped: 1, skips }, step]), 'suite: a');
    };
    expect(skipping('FDMAP_TEST_BACKEND names others')).toBe('ok');
    expect(skipping('a stream has no threads of their own')).toBe('ok');
    expect(skipping('needs tier-a: tier B: a kernel before 6.10')).toBe('FAIL');
    expect(skipping('')).toBe('FAIL');
    // Of one boot alone.
    expect(skipping('needs apparmor: AppArmor is not active')).toBe('FAIL');
    expect(isStatedSkip('needs apparmor: AppArmor is not active', 'lsm=landlock', 'A', 'amd64')).toBe(true);
  });

  it('a machine that died has failed, and its finished files still count', () => {
    const rows = boot([{ ...file, passed: 1, failed: 0, skipped: 0 }], ['Kernel panic']);
    expect(result(rows, 'suite: a')).toBe('ok');
    expect(result(rows, 'suite')).toBe('FAIL');
    expect(result(rows, 'boot')).toBe('FAIL');
  });
});

describe('documentation', () => {
  it('is written between its markers and nowhere else', () => {
    /** @type {import('./rows.mjs').Row[]} */
    const rows = [
      { kernel: '6.1.9', boot: 'plain', feature: 'x', result: 'no', seconds: undefined, detail: '' },
      { kernel: '6.1.9', boot: 'plain', feature: 'tier', result: 'ok', seconds: undefined, detail: 'B' },
    ];
    const loads = { boot: 'plain', feature: 'program y', seconds: undefined, detail: '' };
    rows.push({ kernel: '6.1.9', result: 'ok', ...loads });
    const content = documentation(rows, [{ id: 'x', what: 'something', since: '6.2', commit: '' }], {
      y: '6.1',
    });
    expect(content).toContain('| `y`               | 6.1   | yes   |');
    expect(content).toContain('| `x`     | something | 6.2   | –     |');
    expect(content).toContain('| `plain` | tier B |');
    const page = 'a\n<!-- kernels:begin -->\nold\n<!-- kernels:end -->\nb\n';
    expect(replaceBetweenMarkers(page, content)).toBe(page.replace('old', content));
    expect(() => replaceBetweenMarkers('a page', content)).toThrow(/kernels:begin/);
  });
});
