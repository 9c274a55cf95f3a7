import type { Process } from './process-list.ts';

/** What changed between two snapshots: identity is pid and start time, so that a reused pid is two. */
export interface ProcessChanges {
  /** Not there before. */
  readonly started: readonly Process[];
  /** Not there any more. */
  readonly ended: readonly Process[];
  /** In both: as it was and as it is. */
  readonly stayed: readonly (readonly [Process, Process])[];
}

const isSame = (a: Process | undefined, b: Process) => a !== undefined && a.startTime === b.startTime;

/** Processes of one answer of pidinfo(), found by number and by kinship. Rows need `ppid` and `startTime`. */
export class ProcessSnapshot {
  /** Ascending by pid; those that could not be read are left out. */
  readonly processes: readonly Process[];
  readonly byPid: ReadonlyMap<number, Process>;
  readonly #children = new Map<number, Process[]>();

  constructor(rows: Iterable<Process>) {
    this.processes = [...rows].filter(({ error }) => !error).sort((a, b) => a.pid - b.pid);
    this.byPid = new Map(this.processes.map((process) => [process.pid, process]));
    for (const process of this.processes) {
      const siblings = this.#children.get(process.ppid ?? 0);
      if (siblings) siblings.push(process);
      else this.#children.set(process.ppid ?? 0, [process]);
    }
  }

  /** Processes whose parent is `pid`, ascending. */
  children(pid: number): readonly Process[] {
    return this.#children.get(pid) ?? [];
  }

  parent({ ppid }: Process): Process | undefined {
    return ppid === undefined ? undefined : this.byPid.get(ppid);
  }

  /** Those whose parent is not in the snapshot: 0, or a process that was not asked for. */
  roots(): readonly Process[] {
    return this.processes.filter((process) => this.parent(process) === undefined);
  }

  /** From its parent upwards. */
  *ancestors(process: Process): Generator<Process, undefined> {
    const seen = new Set([process.pid]);
    for (let each = this.parent(process); each; each = this.parent(each)) {
      // Numbers of different moments could form a ring.
      if (seen.has(each.pid)) return;
      seen.add(each.pid);
      yield each;
    }
  }

  /** All below it, each parent before its children. */
  *descendants({ pid }: Process): Generator<Process, undefined> {
    for (const { process } of this.#walk(this.children(pid), 0, new Set([pid]))) yield process;
  }

  /** Every process once, each parent before its children; `depth` is 0 for a root. */
  *tree(): Generator<{ process: Process; depth: number; last: boolean }, undefined> {
    yield* this.#walk(this.roots(), 0, new Set());
  }

  *#walk(
    level: readonly Process[],
    depth: number,
    seen: Set<number>,
  ): Generator<{ process: Process; depth: number; last: boolean }, undefined> {
    for (const [i, process] of level.entries()) {
      if (seen.has(process.pid)) continue;
      seen.add(process.pid);
      yield { process, depth, last: i === level.length - 1 };
      yield* this.#walk(this.children(process.pid), depth + 1, seen);
    }
  }

  /** Is this very process still there, and not another of the same number? */
  has(process: Process): boolean {
    return isSame(this.byPid.get(process.pid), process);
  }

  /** What changed since an earlier snapshot. */
  since(earlier: ProcessSnapshot): ProcessChanges {
    const stayed = this.processes.flatMap((process) => {
      const before = earlier.byPid.get(process.pid);
      return before && isSame(before, process) ? [[before, process] as const] : [];
    });
    return {
      started: this.processes.filter((process) => !earlier.has(process)),
      ended: earlier.processes.filter((process) => !this.has(process)),
      stayed,
    };
  }
}
