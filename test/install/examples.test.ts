/** What administrators copy: the systemd unit and the Kubernetes manifest. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { needs, when } from '../helpers/needs.ts';

const example = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

const systemd = spawnSync('systemd-analyze', ['--version']).error === undefined;

when(systemd, 'systemd-analyze is not installed').test('systemd takes the unit', () => {
  // The manual pages that it names are those of an installed package.
  const { status, stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', example('systemd/fdmap.service')],
    { encoding: 'utf8' },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});

const yaml = spawnSync('python3', ['-c', 'import yaml']).status === 0;

needs('python3').describe('the Kubernetes manifest', () => {
  when(yaml, 'python3 has no yaml').test('mounts on the node, and into pods for reading', () => {
    const script = 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))';
    const { stdout, stderr } = spawnSync('python3', ['-c', script], {
      encoding: 'utf8',
      input: readFileSync(example('kubernetes/fdmap.yaml')),
    });
    expect(stderr).toBe('');
    const [daemons, pod] = JSON.parse(stdout);
    expect([daemons.kind, pod.kind]).toEqual(['DaemonSet', 'Pod']);
    const { hostPID, containers, volumes } = daemons.spec.template.spec;
    expect(hostPID).toBe(true);
    expect(daemons.spec.template.metadata.labels).toMatchObject(daemons.spec.selector.matchLabels);
    expect(containers[0].securityContext.privileged).toBe(true);
    expect(containers[0].volumeMounts[0]).toMatchObject({
      name: volumes[0].name,
      mountPropagation: 'Bidirectional',
    });
    expect(pod.spec.containers[0].securityContext.capabilities).toEqual({ drop: ['ALL'] });
    expect(pod.spec.containers[0].volumeMounts[0]).toMatchObject({
      name: pod.spec.volumes[0].name,
      mountPath: '/run/fdmap',
      readOnly: true,
      mountPropagation: 'HostToContainer',
    });
  });
});
