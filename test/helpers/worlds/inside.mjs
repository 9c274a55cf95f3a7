/** The inside of a World: runs functions that it is sent, one message each. */

import childProcess from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import workers from 'node:worker_threads';

const dist = new URL('../../../dist/', import.meta.url);

/** The same door as src/sys/ffi.ts has: dist/ is one module, and shows only what is public. */
const koffi = createRequire(import.meta.url)(`@koromix/koffi-linux-${process.arch}`);
const call = koffi.load(null).func('syscall', 'long', Array(7).fill('long'));
const syscall = (number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => {
  const result = call(number, a, b, c, d, e, f);
  return result === -1 ? -koffi.errno() : result;
};
const address = (buffer) => Number(koffi.address(buffer));

const nr = JSON.parse(process.env.FDMAP_TEST_NUMBERS);
const F_DUPFD = 0;
const RLIMIT_NOFILE = 7;
const EMFILE = 24;

const succeed = (result, what) => {
  if (result < 0) throw Object.assign(new Error(`${what}: errno ${-result}`), { errno: result });
  return result;
};

let devNull;
function nothing() {
  devNull ??= fs.openSync('/dev/null');
  return devNull;
}

const inside = {
  syscall,
  address,
  nr,
  fs,
  childProcess,
  workers,
  keep: {},
  api: () => import(new URL('index.js', dist)),
  outcome(call) {
    try {
      return { value: call() };
    } catch (error) {
      return { code: error.code, syscall: error.syscall, message: error.message };
    }
  },
  place(fd, from = nothing()) {
    // The lowest free number from `fd` on: exact, or already taken.
    const got = succeed(syscall(nr.fcntl, from, F_DUPFD, fd), `descriptor ${fd}`);
    if (got !== fd) throw new Error(`descriptor ${fd} is taken`);
  },
  limit(soft, hard) {
    const limits = new BigUint64Array(2);
    const at = address(limits.buffer);
    succeed(syscall(nr.prlimit64, 0, RLIMIT_NOFILE, 0, at), 'prlimit');
    limits[0] = BigInt(soft);
    if (hard !== undefined) limits[1] = BigInt(hard);
    succeed(syscall(nr.prlimit64, 0, RLIMIT_NOFILE, at, 0), 'prlimit');
    if (limits.byteLength !== 16) throw new Error('kept alive');
  },
  fill() {
    for (let count = 0; ; count++) {
      const got = syscall(nr.fcntl, 0, F_DUPFD, 0);
      if (got === -EMFILE) return count;
      succeed(got, 'dup');
    }
  },
};

process.on('message', async ({ id, body, argument }) => {
  try {
    const value = await new Function(`return (${body})`)()(inside, argument);
    process.send({ id, value });
  } catch (error) {
    process.send({
      id,
      error: {
        ...error,
        name: error.name,
        message: error.message,
        stack: String(error.stack),
        code: error.code,
      },
    });
  }
});
process.on('disconnect', () => process.exit());
