/**
 * What CRIU would say to each descriptor of a tree, without stopping anything. The rules are those
 * of CRIU 4: dump_one_file() in criu/files.c, criu/sk-unix.c, criu/sk-inet.c, criu/files-reg.c, criu(8).
 */

import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import type { InetSocketDescriptor } from '../../abi/fdinfo/inet-sockets.ts';
import type { FailedProcess } from '../fdinfo/list.ts';
import type { Process } from '../process-list.ts';
import type { Image } from './image.ts';

export interface Verdict {
  readonly verdict: 'dumpable' | 'option' | 'unsupported' | 'unknown';
  /** Options of `criu dump` that it needs; one that begins with `--external` names the descriptor. */
  readonly options: readonly string[];
  /** Why, where it is not simply dumpable. */
  readonly reason: string | undefined;
}

export interface ForecastRow extends Verdict {
  readonly row: Descriptor;
  /** What CRIU keeps of one of this kind, by names of members, and what of it is not known here. */
  readonly facts: readonly string[];
  readonly missing: readonly string[];
}

export interface Forecast {
  /** The worst of all rows. */
  readonly verdict: Verdict['verdict'];
  /** Every option that a row needs. */
  readonly options: readonly string[];
  readonly rows: readonly ForecastRow[];
  /** Processes of the tree whose descriptors could not be read: then no verdict is better than `unknown`. */
  readonly errors: readonly FailedProcess[];
}

interface Tree {
  readonly pids: ReadonlySet<number>;
  readonly processes: ReadonlyMap<number, Process>;
  /** Inodes of unix sockets in the tree. */
  readonly sockets: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<number>;
}

const dumpable: Verdict = { verdict: 'dumpable', options: [], reason: undefined };
const needs = (reason: string, ...options: string[]): Verdict => ({ verdict: 'option', options, reason });
const unsupported = (reason: string): Verdict => ({ verdict: 'unsupported', options: [], reason });
const unknown = (reason: string): Verdict => ({ verdict: 'unknown', options: [], reason });

/** DEFAULT_GHOST_LIMIT of criu/include/cr_options.h. */
const GHOST_LIMIT = 1024 * 1024;

function fileVerdict(row: Descriptor): Verdict {
  if (row.type === 'block') return unsupported('a block device');
  if (row.type === 'unknown') return unknown('what it is was not told, so that its file is not touched');
  const locked = row.locks ? ['--file-locks'] : [];
  const reasons = row.locks ? ['it holds locks'] : [];
  if (row.deleted && row.type === 'file') {
    if (row.nlink === undefined || row.size === undefined) return unknown('deleted, and of a size not known');
    if (row.nlink > 0) {
      locked.push('--link-remap');
      reasons.push('its name is gone, and it has another');
    } else if (row.size > GHOST_LIMIT) {
      locked.push(`--ghost-limit ${row.size}`);
      reasons.push('deleted, and larger than what CRIU copies unasked');
    }
  }
  return locked.length > 0 ? needs(reasons.join('; '), ...locked) : dumpable;
}

/** Majors and minors: include/uapi/linux/major.h, include/linux/miscdevice.h. */
const TERMINAL = /^(4:\d+|5:[0-2]|229:\d+|13[6-9]:\d+|14[0-3]:\d+)$/;
const PLAIN_DEVICE = /^(1:\d+|10:200|10:235)$/;

function charVerdict(row: Descriptor, tree: Tree): Verdict {
  const { rdev } = row;
  if (rdev === undefined) return unknown('which device it is, is not known');
  if (PLAIN_DEVICE.test(rdev)) return dumpable;
  if (!TERMINAL.test(rdev)) return unsupported(`the device ${rdev}, which only a plugin could know`);
  const process = tree.processes.get(row.pid);
  if (!process?.tty || process.sid === undefined) return dumpable;
  return tree.pids.has(process.sid)
    ? dumpable
    : needs('a terminal whose session is not in the tree', '--shell-job');
}

function unixVerdict(row: Extract<Descriptor, { type: 'unix' }>, tree: Tree): Verdict {
  if (row.state === undefined || row.peer === undefined)
    return row.state === 'LISTEN' ? dumpable : unknown('who is at the other end is not known');
  if (row.state === 'LISTEN' || Number(row.peer) === 0 || tree.sockets.has(String(row.peer))) return dumpable;
  if (row.socketType === 'dgram') return needs('its other end is not in the tree', '--ext-unix-sk');
  return needs('one end of a connection out of the tree', `--external unix[${row.inode}]`);
}

function tcpVerdict(row: InetSocketDescriptor): Verdict {
  if (row.protocol === 'mptcp') return unsupported('a socket of MPTCP');
  if (row.state === undefined) return unknown('its state is not known');
  if (row.state === 'LISTEN' || row.state === 'CLOSE') return dumpable;
  return needs(`a connection (${row.state})`, '--tcp-established');
}

function namespaceVerdict(row: Extract<Descriptor, { type: 'namespace' }>, tree: Tree): Verdict {
  if (row.inode === undefined) return unknown('which namespace it is, is not known');
  if (tree.namespaces.has(Number(row.inode))) return dumpable;
  return row.name === 'net'
    ? needs('a network namespace that no process of the tree is in', `--external net[${row.inode}]:NAME`)
    : unsupported('a namespace that no process of the tree is in');
}

/** enum bpf_map_type: HASH, ARRAY; criu/bpfmap.c knows no other. */
const BPF_MAPS = [1, 2];

/** @returns what CRIU would say, as far as it can be told from outside */
function verdictOf(row: Descriptor, tree: Tree): Verdict {
  switch (row.type) {
    case 'file':
    case 'dir':
    case 'symlink':
    case 'block':
    case 'unknown':
      return fileVerdict(row);
    case 'char':
      return charVerdict(row, tree);
    case 'tcp':
      return tcpVerdict(row as InetSocketDescriptor);
    case 'unix':
      return unixVerdict(row, tree);
    case 'namespace':
      return namespaceVerdict(row, tree);
    case 'pidfd':
      if (row.target === undefined) return unknown('whose it is, is not known');
      return row.target <= 0 || tree.pids.has(row.target)
        ? dumpable
        : unsupported('a pidfd of a process that is not in the tree');
    case 'bpf-map':
      if (row.mapType === undefined) return unknown('its type is not known');
      return BPF_MAPS.includes(row.mapType)
        ? dumpable
        : unsupported('a BPF map that is no array and no hash');
    case 'pipe':
    case 'fifo':
    case 'udp':
    case 'udplite':
    case 'raw':
    case 'netlink':
    case 'packet':
    case 'eventfd':
    case 'epoll':
    case 'timerfd':
    case 'signalfd':
    case 'inotify':
    case 'fanotify':
    case 'memfd':
      return dumpable;
    default:
      return unsupported(`CRIU has no image of this kind${row.type === 'anon' ? ` (${row.name})` : ''}`);
  }
}

/**
 * What has no name among the members here, or has one that only ptrace(2), the descriptor itself or a
 * parasite in the process could tell: these are always among the missing.
 */
const [CONTENTS, OPTIONS, BACKLOG, TERMINAL_MODES] = ['contents', 'socketOptions', 'backlog', 'termios'];
/** fown of images/fown.proto (F_SETOWN, F_SETSIG) is of every open file. */
const EVERY = ['flags', 'fileId', 'signalOwner'];
const OF_FILE = ['path', 'pos', 'mountId', 'mode', 'size'];
const OF_INET = ['inode', 'family', 'state', 'local', 'remote', 'netns', OPTIONS];

/** What CRIU's images hold of each kind: images/*.proto. */
const FACTS: Readonly<Partial<Record<Descriptor['type'], readonly string[]>>> = {
  file: OF_FILE,
  dir: ['path', 'pos', 'mountId', 'mode'],
  symlink: ['path', 'mountId', 'mode'],
  char: ['path', 'rdev'],
  pipe: ['inode', 'queued', 'capacity', CONTENTS],
  fifo: ['inode', 'path', 'queued', CONTENTS],
  tcp: [...OF_INET, 'receiveQueue', 'sendQueue', BACKLOG, CONTENTS],
  udp: OF_INET,
  udplite: OF_INET,
  raw: OF_INET,
  unix: ['inode', 'socketType', 'state', 'peer', 'netns', OPTIONS, BACKLOG, CONTENTS],
  netlink: ['protocol', 'portId', 'groups', 'netns', OPTIONS, CONTENTS],
  packet: ['socketType', 'protocol', 'interface', 'netns', OPTIONS],
  eventfd: ['count'],
  epoll: ['targets'],
  timerfd: ['clock', 'ticks', 'remaining', 'interval'],
  signalfd: ['mask'],
  inotify: ['watches'],
  fanotify: ['initFlags', 'watches'],
  memfd: ['name', 'pos', 'size', 'seals', CONTENTS],
  'bpf-map': ['id', 'name', 'mapType', 'keySize', 'valueSize', 'maxEntries', 'frozen', CONTENTS],
  pidfd: ['target'],
  namespace: ['inode', 'name'],
};

const ORDER = ['dumpable', 'option', 'unknown', 'unsupported'] as const;

/** See the call of the same name in index.ts. */
export function forecast(image: Image): Forecast {
  const list = image.fdinfo();
  const descriptors = list.toArray();
  const snapshot = image
    .pidinfo(undefined, { fields: ['ppid', 'startTime', 'sid', 'tty', 'namespaces'] })
    .snapshot();
  const tree: Tree = {
    pids: new Set(snapshot.byPid.keys()),
    processes: snapshot.byPid,
    sockets: new Set(descriptors.filter(({ type }) => type === 'unix').map(({ inode }) => String(inode))),
    namespaces: new Set(snapshot.processes.flatMap(({ namespaces }) => Object.values(namespaces ?? {}))),
  };
  const rows = descriptors.map((row): ForecastRow => {
    const facts = [...EVERY, ...(FACTS[row.type] ?? [])];
    if (row.type === 'char' && TERMINAL.test(row.rdev ?? '')) facts.push(TERMINAL_MODES);
    const known = row as unknown as Record<string, unknown>;
    return {
      row,
      ...verdictOf(row, tree),
      facts,
      missing: facts.filter((name) => known[name] === undefined),
    };
  });
  const { errors } = list;
  const ranks = new Set(rows.map(({ verdict }) => ORDER.indexOf(verdict)));
  const worst = Math.max(errors.length > 0 ? ORDER.indexOf('unknown') : 0, ...ranks);
  return {
    verdict: ORDER[worst] as Verdict['verdict'],
    options: [...new Set(rows.flatMap(({ options }) => options))].sort(),
    rows,
    errors,
  };
}
