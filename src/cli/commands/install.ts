/** `fdmap install`: the calls for everybody on this machine. */

import { type Hidepid, type InstallReport, install } from '../../index.ts';
import { optionValue, quote, UsageError } from '../arguments.ts';
import { type Command, EXIT, type Parsed } from '../command.ts';
import { formatOf } from '../output/print.ts';
import { line } from '../output/report.ts';
import { write } from '../output/write.ts';

export const command: Command = {
  synopsis: ['install [--at DIR] [--group NAME] [--hidepid N] [--text]'],
  description:
    'Loads the programs and pins them in a bpf file system of their own, so that from then on every process ' +
    'may use the calls, without privilege and in any language, with the access check in the kernel. Needs ' +
    'root, once after each boot. An installation of another version or policy is replaced without a gap; ' +
    'the same one again changes nothing. Under a security module that cannot be followed callers see ' +
    'themselves alone, and the report says so.',
  options: [
    { name: 'at', value: 'DIR', help: 'where: default /run/fdmap (FDMAP_BPFFS)' },
    { name: 'group', value: 'NAME', help: 'only this group may call: a name or a number' },
    {
      name: 'hidepid',
      value: 'N',
      help: 'which processes callers know of, as the mount option of /proc: 0, 1, 2 or 4; default: that of /proc',
    },
    {
      name: 'gid',
      value: 'GID',
      help: 'the group to which hidepid 1 and 2 do not apply; default: that of /proc',
    },
    { name: 'text', help: 'also text for any shell: cat DIR/fds, cat DIR/ps' },
  ],
  columns: [],
  defaults: [],

  async run(parsed) {
    if (parsed.operands.length > 0) throw new UsageError('install takes no operand');
    const report = await install({
      at: optionValue(parsed, 'at'),
      group: optionValue(parsed, 'group'),
      hidepid: numberOf(parsed, 'hidepid') as Hidepid | undefined,
      exemptGid: numberOf(parsed, 'gid'),
      text: parsed.options.has('text'),
    });
    const format = formatOf(parsed);
    if (format === 'text') write(lines(report));
    else write([`${JSON.stringify(report, null, format === 'json' ? 2 : undefined)}\n`]);
    return EXIT.found;
  },
};

function numberOf(parsed: Parsed, name: string): number | undefined {
  const word = optionValue(parsed, name);
  if (word === undefined) return undefined;
  if (!/^\d{1,10}$/.test(word)) throw new UsageError(`--${name} takes a number, not ${quote(word)}`);
  return Number(word);
}

function* lines(report: InstallReport): Generator<string> {
  yield line(report.changed ? 'installed' : 'unchanged', report.path);
  yield line('version', `${report.version}, ABI ${report.abi}, build ${report.build}`);
  yield line('for', report.group === undefined ? 'everybody' : `group ${report.group}`);
  const exempt = report.hidepid === 1 || report.hidepid === 2 ? `, gid=${report.exemptGid}` : '';
  yield line('policy', `hidepid=${report.hidepid}${exempt}`);
  yield line('modules', report.securityModules.join(', ') || 'none');
  if (report.text) yield line('text', `cat ${report.directory}/fds, cat ${report.directory}/ps`);
  if (report.selfOnly) yield line('self-only', `callers see themselves alone: ${report.reason}`);
  for (const { object, reason } of report.skipped) yield line('without', `${object}: ${reason}`);
}
