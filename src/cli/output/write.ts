/** Data to stdout, messages to stderr. */

import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { visible } from './terminal.ts';

/** Few large writes: each is a system call. */
const CHUNK = 1 << 16;

/** False after the reader has gone: what is left need not be computed. */
let open = true;

/** To be called before the first write. `fail` is told what else than a gone reader went wrong. */
export function watchOutput(fail: (error: Error) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    open = false;
    // `fdmap | head -1`: the reader has what it wanted.
    if (error.code !== 'EPIPE') fail(error);
  });
}

/** A stream keeps what it was given until the next turn of the event loop; a file takes it at once. */
const isFile = (): boolean => {
  try {
    return fstatSync(1).isFile();
  } catch {
    // Closed: the stream says so, in its own way.
    return false;
  }
};

export function write(pieces: Iterable<string>): void {
  const toFile = isFile();
  const flush = (text: string) => {
    if (!toFile) {
      process.stdout.write(text);
      return;
    }
    try {
      for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      // A full disk: as watchOutput() has it for streams.
      open = false;
      process.stdout.destroy(error as Error);
    }
  };
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK) continue;
    if (!open) return;
    flush(chunk);
    chunk = '';
  }
  if (chunk && open) flush(chunk);
}

/** Bytes as they are, at the pace of their reader; false when he has gone. */
export async function writeBytes(bytes: Uint8Array): Promise<boolean> {
  // The error of a write is watchOutput()'s.
  if (open && bytes.length > 0)
    await new Promise<void>((resolve) => void process.stdout.write(bytes, () => resolve()));
  return open;
}

/** Where bytes go to stdout at the pace of its reader; after he has gone they go nowhere. */
export function byteSink(): Writable {
  const { Writable } = process.getBuiltinModule('node:stream');
  return new Writable({
    write: (bytes: Uint8Array, _encoding, done) => void writeBytes(bytes).then(() => done()),
  });
}

/** One line on stderr, beginning with the command's name. */
export function complain(message: string): void {
  process.stderr.write(`fdmap: ${visible(message.trimEnd().replaceAll(/\s*\n\s*/g, '; '))}\n`);
}

/** Columns of the terminal that stdout is; undefined when it is none. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}
