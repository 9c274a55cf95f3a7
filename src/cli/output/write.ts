/** Data to stdout, messages to stderr. */

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

export function write(pieces: Iterable<string>): void {
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK) continue;
    if (!open) return;
    process.stdout.write(chunk);
    chunk = '';
  }
  if (chunk && open) process.stdout.write(chunk);
}

/** Bytes as they are; false when the reader has gone. */
export function writeBytes(bytes: Uint8Array): boolean {
  if (open && bytes.length > 0) process.stdout.write(bytes);
  return open;
}

/** One line on stderr, beginning with the command's name. */
export function complain(message: string): void {
  process.stderr.write(`fdmap: ${visible(message.trimEnd().replaceAll(/\s*\n\s*/g, '; '))}\n`);
}

/** Columns of the terminal that stdout is; undefined when it is none. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}
