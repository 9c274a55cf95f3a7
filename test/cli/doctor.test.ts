/** `fdmap doctor` and diagnose(). */

import { release } from 'node:os';
import { describe, expect, test } from 'vitest';
import { FEATURES, isAtLeast } from '../../src/backends/features.ts';
import { parseProcMount } from '../../src/backends/surroundings.ts';
import { type Diagnosis, diagnose } from '../../src/index.ts';
import { needs } from '../helpers/needs.ts';
import { fdmap } from './helpers.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };
const json = (outcome: { stdout: string }): Diagnosis => JSON.parse(outcome.stdout);

describe('fdmap doctor', () => {
  test('--json: one object with every feature, whoever asks', () => {
    const outcome = fdmap(['doctor', '--json']);
    const report = json(outcome);
    expect(outcome.stderr).toBe('');
    expect(report).toMatchObject({ kernel: release(), arch: process.arch });
    expect(report.features.map(({ name, since, commit }) => ({ name, since, commit }))).toEqual(
      FEATURES.map(({ name, since, commit }) => ({ name, since, commit })),
    );
    for (const feature of report.features) {
      expect(Object.keys(feature)).toEqual(['name', 'summary', 'since', 'commit', 'works', 'reason']);
      expect([true, false, null]).toContain(feature.works);
      expect(feature.reason).not.toBe('');
    }
    expect(outcome.status).toBe(report.backend === null ? 3 : 0);
  });

  test('text: a line for each feature, no longer than a screen where it is a table', () => {
    const { stdout } = fdmap(['doctor']);
    for (const { name } of FEATURES) expect(stdout).toContain(`\n${name} `);
    for (const heading of ['kernel ', 'backend ', 'tier ', '/proc ']) expect(stdout).toContain(heading);
  });

  test('-o and --jsonl are about the features', () => {
    const lines = fdmap(['doctor', '-o', 'name', '--no-header']).stdout.trimEnd().split('\n');
    expect(lines).toEqual(FEATURES.map(({ name }) => name));
    const rows = fdmap(['doctor', '--jsonl'])
      .stdout.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ name }) => name)).toEqual(lines);
    expect(rows[0]).toHaveProperty('works');
  });

  needs('kernel').test('with privilege: every feature was tried; the tier is what they allow', () => {
    const report = json(fdmap(['doctor', '--json', '--backend', 'kernel']));
    expect(report.backend).toBe('kernel');
    expect(report.features.filter(({ works }) => works === null)).toEqual([]);
    const programs = report.features.find(({ name }) => name === 'syscall-program-functions');
    expect(report.tier).toBe(programs?.works ? 'A' : 'B');
  });

  needs('root', 'other-uid', 'kernel').test('without: not known, with the reason and what would help', () => {
    const report = json(fdmap(['doctor', '--json'], NOBODY));
    expect(report).toMatchObject({ backend: 'proc', tier: 'C', privileges: { euid: 65_534, capBpf: false } });
    for (const { works, reason } of report.features) {
      expect(works).toBe(null);
      expect(reason).toContain('not permitted');
    }
    expect(report.advice.join()).toContain('CAP_BPF');
    const forced = fdmap(['doctor', '--json', '--backend', 'kernel'], NOBODY);
    expect(forced.status).toBe(3);
    expect(json(forced)).toMatchObject({ backend: null, tier: null });
  });

  needs('mount-ns', 'kernel').test(
    'without /proc: the kernel answers, and doctor says what is missing',
    () => {
      const wrap = ['unshare', '-m', 'sh', '-c', 'umount -l /proc && exec "$@"', 'sh'];
      const report = json(fdmap(['doctor', '--json'], { wrap }));
      expect(report.backend).toBe('kernel');
      expect(report.proc).toEqual({ mounted: false, hidepid: null, gid: null });
      expect(report.privileges.capBpf).toBe(null);
      expect(report.advice.join()).toContain('mount -t proc');
      expect(fdmap(['fds', '--backend', 'proc'], { wrap }).status).toBe(3);
      expect(fdmap(['fds'], { wrap }).status).toBe(0);
    },
  );

  needs('unshare').test('in a pid namespace of its own', () => {
    const wrap = ['unshare', '-p', '-f', '--mount-proc'];
    expect(json(fdmap(['doctor', '--json'], { wrap })).nestedPidNamespace).toBe(true);
  });

  needs('user-ns', 'kernel').test('in a user namespace: capabilities that do not count there', () => {
    const report = json(fdmap(['doctor', '--json'], { wrap: ['unshare', '-U', '-r'] }));
    expect(report.privileges).toMatchObject({ initialUserNamespace: false, capBpf: true });
    expect(report.backend).toBe('proc');
    expect(report.advice.join()).toContain('user namespace');
  });
});

test('diagnose() gives back every descriptor (looked at after this file) and the same answer twice', () => {
  expect(diagnose()).toEqual(diagnose());
});

test('versions', () => {
  expect(isAtLeast('6.18.44-cloud-amd64', '6.10')).toBe(true);
  expect(isAtLeast('6.9.12', '6.10')).toBe(false);
  expect(isAtLeast('7.0-rc1', '6.13')).toBe(true);
  expect(isAtLeast('5.14.0-503.el9', '5.14')).toBe(true);
  for (const { since, commit } of FEATURES) {
    expect(since).toMatch(/^\d+\.\d+$/);
    expect(commit).toMatch(/^[\da-f]{12}$/);
  }
});

test('the mount at /proc: the uppermost one, with its options', () => {
  const line = (type: string, options: string) =>
    `22 27 0:21 / /proc rw,relatime - ${type} ${type} ${options}\n`;
  expect(parseProcMount(line('proc', 'rw'))).toEqual({ mounted: true, hidepid: 0, gid: null });
  expect(parseProcMount(line('proc', 'rw,gid=4,hidepid=invisible'))).toEqual({
    mounted: true,
    hidepid: 2,
    gid: 4,
  });
  expect(parseProcMount(line('proc', 'rw,hidepid=1')).hidepid).toBe(1);
  expect(parseProcMount(line('proc', 'rw,hidepid=ptraceable')).hidepid).toBe(4);
  expect(parseProcMount(line('proc', 'rw') + line('tmpfs', 'rw')).mounted).toBe(false);
  expect(parseProcMount('')).toEqual({ mounted: false, hidepid: null, gid: null });
});
