/** The inside of a World: runs functions that it is sent, one message each. */

import childProcess from 'node:child_process';
import fs from 'node:fs';
import workers from 'node:worker_threads';

const dist = new URL('../../../dist/', import.meta.url);
const module = (path) => import(new URL(path, dist));
const { nativeDoor: door } = await module('sys/ffi.js');
const { SYSCALLS } = await module('sys/uapi.gen.js');
const { Memory } = await module('sys/memory.js');

/** Numbers that the package itself has no use for: asm/unistd_64.h, asm-generic/unistd.h */
const MORE = {
  x64: { capset: 126, gettid: 186, setfsuid: 122, setresuid: 117, setresgid: 119 },
  arm64: { capset: 91, gettid: 178, setfsuid: 151, setresuid: 147, setresgid: 149 },
};
const nr = { ...SYSCALLS[process.arch], ...MORE[process.arch] };
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
  door,
  nr,
  fs,
  childProcess,
  workers,
  module,
  keep: {},
  api: () => module('index.js'),
  outcome(call) {
    try {
      return { value: call() };
    } catch (error) {
      return { code: error.code, syscall: error.syscall, message: error.message };
    }
  },
  place(fd, from = nothing()) {
    // The lowest free number from `fd` on: exact, or already taken.
    const got = succeed(door.syscall(nr.fcntl, from, F_DUPFD, fd), `descriptor ${fd}`);
    if (got !== fd) throw new Error(`descriptor ${fd} is taken`);
  },
  limit(soft, hard) {
    const memory = new Memory(door, 16);
    succeed(door.syscall(nr.prlimit64, 0, RLIMIT_NOFILE, 0, memory.address), 'prlimit');
    memory.u64[0] = BigInt(soft);
    if (hard !== undefined) memory.u64[1] = BigInt(hard);
    succeed(door.syscall(nr.prlimit64, 0, RLIMIT_NOFILE, memory.address, 0), 'prlimit');
    memory.keep();
  },
  fill() {
    for (let count = 0; ; count++) {
      const got = door.syscall(nr.fcntl, 0, F_DUPFD, 0);
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
