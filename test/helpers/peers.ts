/** What other programs say of the descriptors of one process, by descriptor and by column. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { patience } from './scale.ts';

/** Columns as text in latin1: names are bytes. */
export type Columns = Readonly<Record<string, string>>;

export interface Peer {
  /** Those that this version has; undefined where only what it prints can tell. */
  readonly columns?: ReadonlySet<string>;
  readonly rows: ReadonlyMap<number, Columns>;
}

function output(command: string, ...args: string[]): string {
  const { stdout, stderr, status, error } = spawnSync(command, args, {
    encoding: 'latin1',
    maxBuffer: 1 << 26,
    timeout: patience(30_000),
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

/** lsfd(1), asked for every column that it has. Text in UTF-8 is made bytes again. */
export function lsfd(pid: number): Peer {
  const help = output('lsfd', '--help');
  const [, list = ''] = help.split('Available output columns:');
  // Newer ones list them with --list-columns alone.
  const known = list.trim() ? list : output('lsfd', '--list-columns');
  const columns = new Set([...known.matchAll(/^\s*([A-Z][A-Z0-9.:-]*)\s+</gm)].map(([, name]) => name!));
  const json = JSON.parse(output('lsfd', '-p', `${pid}`, '-J', '-o', [...columns].join(',')));
  const rows = new Map<number, Columns>();
  for (const row of json.lsfd as Record<string, unknown>[]) {
    if (!/^\d+$/.test(String(row.assoc)) || row.tid !== pid) continue;
    const told = Object.entries(row).filter(([, value]) => value !== null);
    rows.set(
      Number(row.assoc),
      Object.fromEntries(told.map(([name, value]) => [name.toUpperCase(), String(value)])),
    );
  }
  return { columns, rows };
}

/** lsof(8): fields by their letter, those of T by two. */
export function lsof(pid: number): Peer {
  const rows = new Map<number, Record<string, string>>();
  let process: Record<string, string> = {};
  let row: Record<string, string> = process;
  for (const line of output('lsof', '-p', `${pid}`, '-nP', '-w', '-F').split('\n')) {
    const [, letter, value] = /^(T..|.)(.*)$/.exec(line) ?? [];
    if (letter === undefined || value === undefined) continue;
    if (letter === 'p') {
      process = {};
      row = process;
    }
    if (letter === 'f') {
      row = { ...process };
      if (/^\d+$/.test(value)) rows.set(Number(value), row);
    }
    row[letter] = letter.startsWith('T') ? value.replace(/^=/, '') : value;
  }
  return { rows };
}

/** ss(8): its columns, addresses and ports with a blank between; and `ino` of what follows them. */
export function ss(pid: number): Peer {
  const rows = new Map<number, Columns>();
  for (const line of output('ss', '-anpeOH', '-A', 'all').split('\n')) {
    const [columns = '', users = '', rest = ''] = line.split(/ users:\(\(|\)\)/);
    const [netid = '', state = '', receive = '', send = '', ...ends] = columns.trim().split(/ +/);
    // Those of unix sockets are apart, and names may have blanks.
    const unix = netid.startsWith('u_');
    const [local, peer] = unix
      ? [ends.slice(0, -2).join(' '), ends.slice(-2).join(' ')]
      : ends.map((end) => end.replace(/:([^:]*)$/, ' $1'));
    const row = {
      Netid: netid,
      State: state,
      'Recv-Q': receive,
      'Send-Q': send,
      Local: local ?? '',
      Peer: peer ?? '',
      ...(/ ino:\d+ sk:/.test(rest) && { ino: / ino:(\d+)/.exec(rest)![1]! }),
    };
    for (const [, fd] of users.matchAll(new RegExp(`pid=${pid},fd=(\\d+)`, 'g'))) rows.set(Number(fd), row);
  }
  return { rows };
}

/** proc_pid_fdinfo(5): one value a name; of what is there more than once, a list with bars. */
export function procFdinfo(pid: number): Peer {
  const rows = new Map<number, Columns>();
  for (const name of readdirSync(`/proc/${pid}/fdinfo`)) {
    const row: Record<string, string> = {};
    for (const text of readFileSync(`/proc/${pid}/fdinfo/${name}`, 'latin1').split('\n')) {
      const [, key, value] =
        /^(inotify|fanotify|[^:]+?)(?: |:\s*)(.*)$/.exec(text.replace(/^settime /, '')) ?? [];
      if (key === undefined || value === undefined) continue;
      row[key] = row[key] === undefined ? value.trim() : `${row[key]}|${value.trim()}`;
    }
    rows.set(Number(name), row);
  }
  return { rows };
}
