import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import { InetSocketDescriptor } from '../../abi/fdinfo/inet-sockets.ts';
import type { Process } from '../process-list.ts';
import { sameBoot, sameFile, sameRecord, sameTarget, shareKey } from './identity.ts';
import type { Image } from './image.ts';

export interface DiffOptions {
  /** Is a position that moved a change, and the time that a timer has left? Default false. */
  readonly position?: boolean | undefined;
}

/** A descriptor that is in both, and not as it was. */
export interface ChangedDescriptor {
  readonly before: Descriptor;
  readonly after: Descriptor;
  /** Names of the members that differ; `fd` where it has moved to another number. */
  readonly members: readonly string[];
}

/** Descriptors that were opened, or closed, by one process and are of one kind, path and remote end. */
export interface DiffGroup {
  readonly change: 'opened' | 'closed';
  readonly pid: number;
  readonly command: string | undefined;
  readonly type: Descriptor['type'];
  /** A path, a remote end; undefined for what has neither. */
  readonly what: string | undefined;
  readonly rows: readonly Descriptor[];
}

type Plain = Record<string, unknown>;

/** What has changed between two images. */
export class Diff {
  readonly opened: readonly Descriptor[];
  readonly closed: readonly Descriptor[];
  readonly changed: readonly ChangedDescriptor[];
  /** Processes that are in one of both alone. */
  readonly started: readonly Process[];
  readonly ended: readonly Process[];
  /**
   * Were both images made of the same question? Else processes that one of them was not asked for
   * count as started or ended, and their descriptors as opened or closed.
   */
  readonly sameTarget: boolean;
  /** Do both images have `cwd`, `root` and `exe`? Else these are not compared. */
  readonly places: boolean;

  /** @internal */
  constructor(found: Omit<Diff, 'empty' | 'groups' | 'apply'>) {
    this.opened = found.opened;
    this.closed = found.closed;
    this.changed = found.changed;
    this.started = found.started;
    this.ended = found.ended;
    this.sameTarget = found.sameTarget;
    this.places = found.places;
  }

  /** Nothing was opened, closed or changed. */
  get empty(): boolean {
    return this.opened.length + this.closed.length + this.changed.length === 0;
  }

  /** What was opened and closed, by process, kind, path and remote end; the largest groups first. */
  groups(): DiffGroup[] {
    const groups = new Map<string, DiffGroup & { rows: Descriptor[] }>();
    for (const change of ['opened', 'closed'] as const) {
      for (const row of this[change]) {
        const { pid, command, type } = row;
        const what = whatOf(row);
        const key = `${change} ${pid} ${type} ${what}`;
        const group = groups.get(key);
        if (group) group.rows.push(row);
        else groups.set(key, { change, pid, command, type, what, rows: [row] });
      }
    }
    return [...groups.values()].sort((a, b) => b.rows.length - a.rows.length || a.pid - b.pid);
  }

  /** The rows of the image after that were compared, made of those of the image before. */
  apply(before: Iterable<Descriptor>): Descriptor[] {
    const key = (row: Descriptor) => `${row.pid} ${row.tid} ${row.fd}`;
    const gone = new Set([...this.closed, ...this.changed.map(({ before }) => before)].map(key));
    const compared = ({ fd }: Descriptor) => typeof fd === 'number' || (this.places && fd !== 'mem');
    const kept = [...before].filter((row) => compared(row) && !gone.has(key(row)));
    return [...kept, ...this.changed.map(({ after }) => after), ...this.opened].sort(byPlace);
  }
}

/** A path, or the remote end. */
function whatOf(row: Descriptor): string | undefined {
  if (row instanceof InetSocketDescriptor) {
    const { remote, local, state } = row;
    if (remote && remote.port !== 0) return `-> ${remote.address}:${remote.port}`;
    return state === 'LISTEN' && local ? `${local.address}:${local.port} (LISTEN)` : undefined;
  }
  if (row.path !== undefined) return row.path;
  const { name, abstract } = row as { name?: string; abstract?: string };
  return abstract !== undefined ? `@${abstract}` : name;
}

const PLACE_ORDER = { cwd: -1, root: -2, exe: -3, mem: -4 } as const;
const numberOf = ({ fd }: Descriptor) => (typeof fd === 'number' ? fd : PLACE_ORDER[fd]);
const byPlace = (a: Descriptor, b: Descriptor) => a.pid - b.pid || a.tid - b.tid || numberOf(a) - numberOf(b);

/** The rows of each table: of a process, or of a thread that has its own. */
function tables(image: Image, places: boolean): Map<string, Descriptor[]> {
  const found = new Map<string, Descriptor[]>();
  let last: Descriptor[] | undefined;
  for (const row of image.fdinfo(undefined, { places })) {
    const first = last?.[0];
    if (!first || first.pid !== row.pid || first.tid !== row.tid) {
      const key = `${row.pid} ${row.tid}`;
      last = found.get(key);
      if (!last) {
        last = [];
        found.set(key, last);
      }
    }
    last!.push(row);
  }
  for (const rows of found.values()) {
    if (rows.some((row, i) => i > 0 && numberOf(rows[i - 1]!) > numberOf(row))) rows.sort(byPlace);
  }
  return found;
}

/** Members that are no change unless they are asked for: what moves by itself. */
const MOVING = ['pos', 'remaining'];

/** See the call of the same name in index.ts. */
export function diff(before: Image, after: Image, { position = false }: DiffOptions): Diff {
  const byId = shareKey(before, after);
  const comparable = sameBoot(before, after);
  const [earlier, later] = [before, after].map((image) =>
    image.pidinfo(undefined, { fields: ['startTime', 'command', 'ppid'] }).snapshot(),
  );
  const opened: Descriptor[] = [];
  const closed: Descriptor[] = [];
  const changed: ChangedDescriptor[] = [];
  const compare = (a: Descriptor, b: Descriptor) => {
    if (sameRecord(a, b) && (!position || a.pos === b.pos)) return;
    const members = differing(a, b, { position, byId });
    if (members.length > 0) changed.push({ before: a, after: b, members });
  };
  const places = before.about.places && after.about.places;
  const [old, now] = [tables(before, places), tables(after, places)];
  for (const [key, rows] of old) {
    const others = now.get(key);
    const pid = rows[0]!.pid;
    const [was, is] = [earlier!.byPid.get(pid), later!.byPid.get(pid)];
    const same = comparable && (!was || !is || was.startTime === is.startTime);
    if (!others || !same) {
      for (const row of rows) closed.push(row);
      continue;
    }
    now.delete(key);
    const [left, right] = pairs(rows, others, byId, compare);
    moved(left, right, byId, compare, opened, closed);
  }
  for (const rows of now.values()) for (const row of rows) opened.push(row);
  const known = (image: typeof earlier, process: Process) => comparable && image!.has(process);
  return new Diff({
    opened: opened.sort(byPlace),
    closed: closed.sort(byPlace),
    changed: changed.sort((a, b) => byPlace(a.after, b.after)),
    started: later!.processes.filter((process) => !known(earlier, process)),
    ended: earlier!.processes.filter((process) => !known(later, process)),
    sameTarget: sameTarget(before, after),
    places,
  });
}

/** Those of the same number and the same file; what is left of both. */
function pairs(
  old: readonly Descriptor[],
  now: readonly Descriptor[],
  byId: boolean,
  compare: (a: Descriptor, b: Descriptor) => void,
): [Descriptor[], Descriptor[]] {
  const left: Descriptor[] = [];
  const right: Descriptor[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    const [a, b] = [old[i], now[j]];
    const order = !a ? 1 : !b ? -1 : numberOf(a) - numberOf(b);
    if (order === 0 && sameFile(a!, b!, byId)) compare(a!, b!);
    else {
      if (order <= 0) left.push(a!);
      if (order >= 0) right.push(b!);
    }
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return [left, right];
}

/** Of what is left: one open file that has another number now has moved, the rest is gone or new. */
function moved(
  left: readonly Descriptor[],
  right: readonly Descriptor[],
  byId: boolean,
  compare: (a: Descriptor, b: Descriptor) => void,
  opened: Descriptor[],
  closed: Descriptor[],
): void {
  const targets = new Map<string, Descriptor[]>();
  if (byId) {
    for (const row of right) {
      if (row.fileId === undefined || typeof row.fd !== 'number') continue;
      const bin = targets.get(row.fileId);
      if (bin) bin.push(row);
      else targets.set(row.fileId, [row]);
    }
  }
  const found = new Set<Descriptor>();
  for (const row of left) {
    const bin = row.fileId === undefined || typeof row.fd !== 'number' ? undefined : targets.get(row.fileId);
    const at = bin ? bin.findIndex((other) => sameFile(row, other, byId)) : -1;
    if (at < 0) {
      closed.push(row);
      continue;
    }
    const [other] = bin!.splice(at, 1);
    found.add(other!);
    compare(row, other!);
  }
  for (const row of right) if (!found.has(row)) opened.push(row);
}

function differing(
  a: Descriptor,
  b: Descriptor,
  { position, byId }: { position: boolean; byId: boolean },
): string[] {
  const [old, now]: [Plain, Plain] = [a.toJSON(), b.toJSON()];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((name) => {
    if (name === 'fileId' || (!position && MOVING.includes(name))) return false;
    return text(old[name], byId) !== text(now[name], byId);
  });
}

/** The numbers of open files that an epoll watches are of a key as well. */
const text = (value: unknown, byId: boolean): string | undefined =>
  JSON.stringify(value, (name, each) => (name === 'fileId' && !byId ? undefined : each));
