/**
 * A world: a Node process of a test's own, in which the test runs functions.
 * What Node lacks (descriptors at exact numbers, unshare, prctl) the functions do
 * through the package's system-call door.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Door } from '../../src/sys/door.ts';
import { SYSCALLS } from '../../src/sys/uapi.gen.ts';

type PublicApi = typeof import('../../src/index.ts');

type SystemCall = keyof (typeof SYSCALLS)['arm64'] | keyof (typeof MORE)['x64'];

/** What a function in a world is given: it can close over nothing and import nothing. */
export interface Inside {
  /** As Door has them: src/sys/door.ts. */
  readonly syscall: Door['syscall'];
  readonly address: Door['address'];
  /** System-call numbers of this architecture. */
  readonly nr: Readonly<Record<SystemCall, number>>;
  readonly fs: typeof import('node:fs');
  readonly childProcess: typeof import('node:child_process');
  readonly workers: typeof import('node:worker_threads');
  /** The built package. */
  api(): Promise<PublicApi>;
  /** The outcome of a call as data: its result, or how it failed. */
  outcome<T>(call: () => T): { value?: T; code?: string; syscall?: string; message?: string };
  /** Lives as long as the world. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test keeps between two functions
  readonly keep: Record<string, any>;
  /** A descriptor at an exact number: a copy of `source` (default: of /dev/null). */
  place(fd: number, source?: number): void;
  /** Soft, and hard where given, RLIMIT_NOFILE. */
  limit(soft: number, hard?: number): void;
  /** Copies descriptors until the table is full; gives how many. */
  fill(): number;
}

export interface WorldOptions {
  /** A command that execs the rest of its arguments: `['unshare', '-p', '-f']`. */
  readonly wrap?: readonly string[];
  /** Node's own flags. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly stack: string; readonly [name: string]: unknown };
}

/** Numbers that the package itself has no use for: asm/unistd_64.h, asm-generic/unistd.h */
const MORE = {
  x64: { capset: 126, gettid: 186, setresuid: 117, setresgid: 119 },
  arm64: { capset: 91, gettid: 178, setresuid: 147, setresgid: 149 },
};
const arch = process.arch as keyof typeof SYSCALLS;
const NUMBERS = JSON.stringify({ ...SYSCALLS[arch], ...MORE[arch] });

const script = fileURLToPath(new URL('worlds/inside.mjs', import.meta.url));
const worlds = new Set<World>();

export class World {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #next = 0;
  #output = '';
  /** Its own number, in its own pid namespace. */
  pid = 0;

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    worlds.add(world);
    world.pid = await world.run(() => process.pid);
    return world;
  }

  private constructor({ wrap = [], flags = [], env = {} }: WorldOptions) {
    const [command, ...args] = [...wrap, process.execPath, ...flags, script];
    this.#child = spawn(command!, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, FDMAP_BACKEND: '', NODE_OPTIONS: '', FDMAP_TEST_NUMBERS: NUMBERS, ...env },
    });
    const collect = (text: Buffer) => {
      this.#output += text;
    };
    this.#child.stdout?.on('data', collect);
    this.#child.stderr?.on('data', collect);
    this.#child.on('message', (message) => this.#settle(message as Reply));
    this.#closed = new Promise((resolve) => {
      this.#child.on('error', (error) => this.#fail(error));
      // Not 'close': with a channel it waits for more than the end of the process.
      this.#child.on('exit', async (code, signal) => {
        await new Promise((done) => setImmediate(done));
        this.#fail(new Error(`the world ended (${code ?? signal}): ${this.#output}`));
        this.#child.stdout?.destroy();
        this.#child.stderr?.destroy();
        resolve();
      });
    });
  }

  /** Number of the process that was started, in our pid namespace: the wrapper's, if there is one. */
  get started(): number {
    return this.#child.pid!;
  }

  /** Runs `body` in there; it must be complete in itself. */
  run<R>(body: (inside: Inside) => R | Promise<R>): Promise<R>;
  run<A, R>(body: (inside: Inside, argument: A) => R | Promise<R>, argument: A): Promise<R>;
  run<A, R>(body: (inside: Inside, argument: A) => R | Promise<R>, argument?: A): Promise<R> {
    const id = this.#next++;
    return new Promise<R>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ id, body: body.toString(), argument }, (error) => error && this.#fail(error));
    });
  }

  #settle({ id, value, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!error) waiting?.resolve(value);
    else waiting?.reject(Object.assign(new Error(error.message), error));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** It leaves by itself when nobody talks to it any more; what does not is killed. */
  async end(): Promise<void> {
    worlds.delete(this);
    if (this.#child.connected) this.#child.disconnect();
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.#closed;
    clearTimeout(killer);
  }
}

/** All that a file has left; test/helpers/setup.ts calls it. */
export async function endWorlds(): Promise<void> {
  await Promise.all([...worlds].map((world) => world.end()));
}
