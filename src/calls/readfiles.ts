/**
 * readFiles(): the work of readFilesSync() in a thread of its own, so that the event
 * loop stays free. fs/promises crosses to the thread pool and back for each open,
 * read and close; here a thousand files are one message there and one back.
 */

import type { Worker } from 'node:worker_threads';
import { SystemError } from '../errors.ts';
import { close, duplicate } from '../sys/calls.ts';
import { LEAST } from '../sys/descriptors.ts';
import { requireDoor } from './door.ts';
import {
  type FilePath,
  type FileRead,
  failure,
  ProcessDirectory,
  type Question,
  question,
  type ReadFilesOptions,
  readFilesSync,
  resolved,
} from './readfile.ts';

// The thread imports this module, or the package's only one, and finds the call there.
export { readFilesSync };

export interface ReadFilesAsyncOptions extends ReadFilesOptions {
  /** Rejects with its reason. What the thread is reading just then it reads to the end, for nobody. */
  readonly signal?: AbortSignal | undefined;
}

/** What the thread is sent: paths that need no more checks. */
interface Order {
  readonly id: number;
  readonly paths: readonly FilePath[];
  readonly options: ReadFilesOptions;
}

/** What it sends back. */
interface Delivery {
  readonly id: number;
  /** All contents, one behind the other. */
  readonly contents: ArrayBuffer;
  /** The length of each, or its negative errno. */
  readonly lengths: Float64Array;
  /** 1 where it was read(2) that failed. */
  readonly reads: Uint8Array;
}

/** Files of one message: an abort is noticed, and memory given on, after so many. */
const BATCH = 1024;

/** Plain JavaScript: it is run from a string, so that it finds this module wherever that was bundled to. */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData).then(({ readFilesSync }) => {
    parentPort.on('message', ({ id, paths, options }) => {
      const results = readFilesSync(paths, options);
      const lengths = new Float64Array(results.length);
      const reads = new Uint8Array(results.length);
      let total = 0;
      results.forEach(({ data, error }, i) => {
        lengths[i] = data ? data.length : error.errno;
        if (data) total += data.length;
        else reads[i] = error.syscall === 'read' ? 1 : 0;
      });
      const contents = new Uint8Array(total);
      let at = 0;
      for (const { data } of results) {
        if (!data) continue;
        contents.set(data, at);
        at += data.length;
      }
      parentPort.postMessage({ id, contents: contents.buffer, lengths, reads }, [
        contents.buffer, lengths.buffer, reads.buffer,
      ]);
    });
  });
`;

interface Waiting {
  resolve(delivery: Delivery): void;
  reject(error: Error): void;
}

/** The one thread; it starts with the first batch, and keeps the process alive only while there is one. */
class ReadingThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  gone = false;

  constructor() {
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    this.#worker = new Worker(THREAD, {
      eval: true,
      workerData: import.meta.url,
      execArgv: [],
      name: 'fdmap readFiles',
    });
    this.#worker.unref();
    this.#worker.on('message', (delivery: Delivery) => this.#take(delivery.id)?.resolve(delivery));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the reading thread ended with ${code}`)));
  }

  read(paths: readonly FilePath[], options: ReadFilesOptions): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, paths, options } satisfies Order);
    });
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    return waiting;
  }

  #fail(error: Error): void {
    this.gone = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

let thread: ReadingThread | undefined;

/** See the call of the same name in index.ts. */
export async function readFiles(
  paths: Iterable<FilePath>,
  options: ReadFilesAsyncOptions = {},
): Promise<FileRead[]> {
  const { directory = '', signal } = options;
  const asked = question(directory, options);
  const wanted = [...paths];
  const names = wanted.map((path) => resolved(asked, path));
  const held = hold(asked);
  const q = held.question;
  const sent = { directory: q.descriptor < 0 ? '' : q.descriptor, flags: q.flags, maxBytes: q.max };
  const results: FileRead[] = [];
  let last: Promise<unknown> = Promise.resolve();
  try {
    for (let at = 0; at < names.length; at += BATCH) {
      signal?.throwIfAborted();
      if (!thread || thread.gone) thread = new ReadingThread();
      const delivery = thread.read(names.slice(at, at + BATCH), sent);
      last = delivery;
      unpack(await withSignal(delivery, signal), wanted.slice(at, at + BATCH), q, results);
    }
  } finally {
    // After an abort the thread reads on: the number is its own until it has answered.
    void last.then(held.release, held.release);
  }
  return results;
}

/**
 * The question, of a directory that is open until `release`: a number alone would be of something else
 * if the caller closed his own while the thread reads, and a ProcessDirectory of another process.
 *
 * @throws SystemError EMFILE, or EBADF for a descriptor that is not open
 */
function hold(asked: Question): { question: Question; release: () => void } {
  if (asked.descriptor < 0) return { question: asked, release: () => undefined };
  const door = requireDoor('readFiles');
  const descriptor = duplicate(door, asked.descriptor, LEAST);
  if (descriptor < 0) throw new SystemError(descriptor, 'fcntl', { pid: asked.process?.pid });
  return {
    question: {
      ...asked,
      descriptor,
      process: asked.process && new ProcessDirectory(asked.process.pid, descriptor),
    },
    release: () => void close(door, descriptor),
  };
}

function unpack(delivery: Delivery, paths: readonly FilePath[], q: Question, results: FileRead[]): void {
  const { contents, lengths, reads } = delivery;
  let at = 0;
  paths.forEach((path, i) => {
    const length = lengths[i] as number;
    if (length < 0) {
      results.push({ path, error: failure(length, reads[i] === 1 ? 'read' : 'open', path, q) });
      return;
    }
    results.push({ path, data: Buffer.from(contents, at, length) });
    at += length;
  });
}

/** `promise`, unless `signal` is first. */
async function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
