/** `fdmap doctor`: what works on this machine, and why not. */

import { type Diagnosis, diagnose, type FeatureReport } from '../../index.ts';
import { UsageError } from '../arguments.ts';
import { FEATURE_COLUMNS } from '../columns/features.ts';
import { type Command, EXIT } from '../command.ts';
import { formatOf, printer } from '../output/print.ts';
import { line } from '../output/report.ts';
import { write } from '../output/write.ts';

const DEFAULTS = ['name', 'since', 'works', 'reason'];

export const command: Command = {
  synopsis: ['doctor'],
  description:
    'The kernel, the backend that the calls would use and why, each feature of the kernel that they need ' +
    'with whether it works here (tried, by loading the programs), privileges, restrictions, and what would ' +
    'help. --json gives one object with all of it; --jsonl and -o the features alone.',
  options: [],
  columns: FEATURE_COLUMNS,
  defaults: DEFAULTS,

  run(parsed) {
    if (parsed.operands.length > 0) throw new UsageError('doctor takes no operand');
    const format = formatOf(parsed);
    const print = printer<FeatureReport>(parsed, {
      columns: FEATURE_COLUMNS,
      defaults: format === 'text' ? DEFAULTS : FEATURE_COLUMNS.map(({ name }) => name),
    });
    const report = diagnose();
    if (format === 'jsonl' || parsed.options.has('columns')) print(report.features);
    else if (format === 'json') write([`${JSON.stringify(report, null, 2)}\n`]);
    else {
      write(choice(report));
      print(report.features);
      write(surroundings(report));
    }
    return report.backend === null ? EXIT.refused : EXIT.found;
  },
};

const TIERS = { A: 'everything', B: 'by iterators', C: 'by /proc' } as const;

function* choice({ kernel, arch, tier, backend, why }: Diagnosis): Generator<string> {
  yield line('kernel', `Linux ${kernel}, ${arch}`);
  yield line('backend', backend ?? 'none');
  yield line('why', why);
  yield line('tier', tier === null ? 'none' : `${tier}: ${TIERS[tier]}`);
  yield '\n';
}

function* surroundings(report: Diagnosis): Generator<string> {
  const { privileges: own, restrictions, proc, advice, nativeDoor } = report;
  yield '\n';
  yield line('effective uid', String(own.euid));
  yield line('CAP_BPF', truth(own.capBpf));
  yield line('CAP_PERFMON', truth(own.capPerfmon));
  yield line('CAP_SYS_PTRACE', truth(own.capSysPtrace));
  yield line('CAP_SYS_ADMIN', truth(own.capSysAdmin));
  yield line('user namespace', truth(own.initialUserNamespace, 'the initial one', 'a nested one'));
  yield line('pid namespace', truth(report.nestedPidNamespace, 'a nested one', 'the initial one'));
  yield line('native calls', nativeDoor.present ? 'yes' : `no: ${nativeDoor.reason}`);
  yield line('kernel BTF', truth(restrictions.btf));
  yield line('unprivileged BPF', unprivileged(restrictions.unprivilegedBpfDisabled));
  yield line('lockdown', restrictions.lockdown ?? 'not known');
  yield line('modules', report.securityModules?.join(', ') || 'not known');
  const exempt = proc.gid === null ? '' : `, gid=${proc.gid}`;
  const hidepid = proc.hidepid === null ? 'hidepid not known' : `hidepid=${proc.hidepid}${exempt}`;
  yield line('/proc', proc.mounted ? `mounted, ${hidepid}` : 'not mounted');
  yield line('installed', installation(report.installed));
  if (advice.length > 0) yield '\nWhat would help:\n';
  for (const each of advice) yield `- ${each}\n`;
}

function truth(value: boolean | null, yes = 'yes', no = 'no'): string {
  return value === null ? 'not known' : value ? yes : no;
}

function unprivileged(value: number | null): string {
  if (value === null) return 'not known';
  return value === 0 ? 'allowed (0)' : `not allowed (${value})`;
}

function installation({ found, reason }: Diagnosis['installed']): string {
  if (!found) return `no: ${reason}`;
  const { version, abi, path, group, hidepid, selfOnly } = found;
  const whom = group === undefined ? 'everybody' : `group ${group}`;
  return `${path}: version ${version}, ABI ${abi}, for ${whom}, hidepid=${hidepid}${selfOnly ? `, self-only: ${found.reason}` : ''}`;
}
