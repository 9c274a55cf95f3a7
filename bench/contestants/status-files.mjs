// The status of a process as one writes it with node:fs, and a number that stands for all of it.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Bytes of a page: 4,096 on most machines, not on all. */
const PAGE = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

/** Fields of a status besides the pid. */
export const FIELDS = /** @type {const} */ ([
  'ppid',
  'state',
  'command',
  'threads',
  'euid',
  'rss',
  'fdLimit',
]);

/** stat, status and limits. @param {string | number} pid */
export const statusOf = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  return {
    pid: Number(pid),
    ppid: Number(fields[1]),
    state: fields[0],
    command: stat.slice(stat.indexOf('(') + 1, end),
    threads: Number(fields[17]),
    euid: Number(/^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]),
    rss: Number(fields[21]) * PAGE,
    fdLimit: Number(/^Max open files +(\d+)/m.exec(limits)?.[1]),
  };
};

/** 48 bits of a hash of every field: contestants answer in numbers. @param {Record<string, any>} row */
export const digestOf = (row) =>
  createHash('sha256')
    .update(FIELDS.map((field) => String(row[field])).join('\0'))
    .digest()
    .readUIntBE(0, 6);
