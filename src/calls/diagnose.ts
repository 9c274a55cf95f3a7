/** What works here, and why not: see the call of the same name in index.ts. */

import { release } from 'node:os';
import type { BackendName } from '../backends/backend.ts';
import { FEATURES } from '../backends/features.ts';
import { securityModules } from '../backends/pinned/modules.ts';
import { type Probed, probeFeatures } from '../backends/probe.ts';
import { selectBackend } from '../backends/select.ts';
import {
  inNestedPidNamespace,
  type Privileges,
  type ProcMount,
  privileges,
  procMount,
  type Restrictions,
  restrictions,
} from '../backends/surroundings.ts';
import { FdmapError, SystemError } from '../errors.ts';
import { doorError, nativeDoor } from '../sys/ffi.ts';
import { type Installed, installed } from './install.ts';
import { choiceOf, type OpenOptions } from './open.ts';

export interface FeatureReport {
  readonly name: string;
  readonly summary: string;
  /** First mainline version that has it. */
  readonly since: string;
  /** The commit of Linux that brought it. */
  readonly commit: string;
  /** true: tried, it works; false: tried, it cannot; null: could not be tried. */
  readonly works: boolean | null;
  readonly reason: string;
}

export interface Diagnosis {
  /** Release of the kernel, as uname(2) has it. */
  readonly kernel: string;
  /** As `process.arch`. */
  readonly arch: string;
  /** A: everything; B: by iterators; C: by /proc; null without any backend. */
  readonly tier: 'A' | 'B' | 'C' | null;
  /** What the calls would use; null when none works. */
  readonly backend: BackendName | null;
  readonly why: string;
  readonly features: readonly FeatureReport[];
  readonly privileges: Privileges;
  readonly restrictions: Restrictions;
  readonly proc: ProcMount;
  readonly nestedPidNamespace: boolean | null;
  /** Active security modules; null when they cannot be asked for. */
  readonly securityModules: readonly string[] | null;
  /** The calls that an administrator pinned; `reason` says why there are none. */
  readonly installed: { readonly found: Installed | null; readonly reason?: string };
  /** The way to call the kernel by number; `reason` says why there is none. */
  readonly nativeDoor: { readonly present: boolean; readonly reason?: string };
  /** What would help, in words; empty when everything works. */
  readonly advice: readonly string[];
}

export function diagnose(options: OpenOptions): Diagnosis {
  const kernel = release();
  const choice = choiceOf(options);
  const probed = nativeDoor ? probeFeatures(nativeDoor, kernel) : withoutDoor();
  const features = FEATURES.map((feature) => {
    const { works, reason } = probed.findings.get(feature.name)!;
    return { ...feature, works, reason };
  });
  const report = {
    kernel,
    arch: process.arch,
    ...chosen(choice),
    features,
    privileges: privileges(),
    restrictions: restrictions(),
    proc: procMount(),
    nestedPidNamespace: probed.nestedPidNamespace ?? inNestedPidNamespace(),
    securityModules: nativeDoor ? securityModules(nativeDoor).names : null,
    installed: installation(),
    nativeDoor: nativeDoor ? { present: true } : { present: false, reason: reasonOf(doorError) },
  };
  return { ...report, advice: advise(report, probed.mayLoad) };
}

/** The choice as the calls make it; every reason is in `why`. */
function chosen(choice: ReturnType<typeof choiceOf>): Pick<Diagnosis, 'tier' | 'backend' | 'why'> {
  try {
    const { backend, why } = selectBackend(choice, 'least');
    try {
      return { tier: backend.tier, backend: backend.name, why };
    } finally {
      backend.close();
    }
  } catch (error) {
    if (!(error instanceof FdmapError) || error.code !== 'ERR_FDMAP_BACKEND_UNAVAILABLE') throw error;
    return { tier: null, backend: null, why: error.message };
  }
}

function withoutDoor(): Probed {
  const finding = { works: null, reason: 'not tried: no way to call the kernel by number' };
  return {
    findings: new Map(FEATURES.map(({ name }) => [name, finding])),
    nestedPidNamespace: null,
    mayLoad: null,
  };
}

function installation(): Diagnosis['installed'] {
  try {
    return { found: installed() };
  } catch (error) {
    if (!(error instanceof FdmapError) && !(error instanceof SystemError)) throw error;
    return { found: null, reason: error.message };
  }
}

const reasonOf = (error: Error | undefined) => (error?.message ?? 'unknown').split('\n')[0]!;

function advise(report: Omit<Diagnosis, 'advice'>, mayLoad: boolean | null): string[] {
  const { arch, privileges: own, restrictions: limits, features } = report;
  const advice: string[] = [];
  if (!report.nativeDoor.present) {
    advice.push(
      arch === 'x64' || arch === 'arm64'
        ? `install the optional package @koromix/koffi-linux-${arch} (npm install --include=optional)`
        : `the kernel backend exists for x64 and arm64, not for ${arch}`,
    );
  }
  if (mayLoad === false && report.backend !== 'pinned') {
    advice.push("have an administrator run 'fdmap install' once: then everybody may use the calls");
    if (own.initialUserNamespace === false) {
      advice.push('leave the user namespace (container): bpf(2) asks for capabilities in the initial one');
    } else if ((own.capBpf && own.capPerfmon) || own.capSysAdmin) {
      advice.push(
        'the capabilities are there: ask seccomp, a container runtime or a security module about bpf(2)',
      );
    } else {
      advice.push(
        'run as root, or with CAP_BPF and CAP_PERFMON ' +
          '(setcap cap_bpf,cap_perfmon+ep on a copy of node that only you may run); ' +
          "CAP_SYS_PTRACE shows other users' descriptors",
      );
    }
  }
  if (limits.btf === false)
    advice.push('use a kernel with CONFIG_DEBUG_INFO_BTF=y: /sys/kernel/btf/vmlinux is missing');
  if (limits.lockdown === 'confidentiality') {
    advice.push(
      'lockdown=confidentiality keeps BPF programs from reading kernel memory: boot with integrity',
    );
  }
  const works = (name: string) => features.find((feature) => feature.name === name)?.works;
  if (works('syscall-programs') === false || works('task-iterator-parameters') === false) {
    advice.push('use Linux 6.1 or later for the kernel backend, 6.10 or later for all of it');
  } else if (works('syscall-program-functions') === false) {
    advice.push('use Linux 6.10 or later for answers without descriptors (tier A)');
  }
  advice.push(...aboutInstallation(report));
  if (!report.proc.mounted) advice.push('mount /proc for the proc backend: mount -t proc proc /proc');
  return advice;
}

/** Why the installed calls show less than everything. */
function aboutInstallation({ backend, installed: { found } }: Omit<Diagnosis, 'advice'>): string[] {
  if (backend !== 'pinned' || !found) return [];
  if (found.selfOnly) {
    return [
      `the installed calls show each process itself alone (${found.reason}): ` +
        "ask '--backend proc' for others, or as root '--backend kernel'",
    ];
  }
  const exempts = found.hidepid === 1 || found.hidepid === 2;
  const isExempt = process.getgid?.() === found.exemptGid || process.getgroups?.().includes(found.exemptGid);
  if (found.hidepid === 0 || process.geteuid?.() === 0 || (exempts && isExempt)) return [];
  const hidden = found.hidepid === 1 ? 'shows no more than the numbers of' : 'hides';
  return [
    `hidepid=${found.hidepid} of the installation ${hidden} processes that you may not read` +
      (exempts ? `: members of group ${found.exemptGid} see their status` : ''),
  ];
}
