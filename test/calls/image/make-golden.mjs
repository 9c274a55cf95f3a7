// unshare -u sh -c 'hostname golden; node test/calls/image/make-golden.mjs': writes golden.fdmap and
// golden.json, the image of a small process and what is in it, for readers to come. Only after a change
// of the format that old readers are not to understand.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '../../../dist/index.js';

const target = (name) => join(import.meta.dirname, name);
const python = `
import os, select, socket, sys
r, w = os.pipe(); os.write(w, b'abc')
s = socket.create_server(('127.0.0.1', 40400)); a, b = socket.socketpair()
e = select.epoll(); e.register(r, select.EPOLLIN); os.dup2(w, 40)
m = os.memfd_create('golden')
print(flush=True); sys.stdin.read()`;
const child = spawn('python3', ['-c', python], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
await new Promise((resolve) => child.stdout.once('data', resolve));
const handle = open({ backend: 'kernel' });
await handle.dumpTo(target('golden.fdmap'), child.pid);
const image = (await import('../../../dist/index.js')).readImage(target('golden.fdmap'));
const expected = {
  about: image.about,
  users: [...image.users],
  descriptors: image.fdinfo(undefined, { places: true }).toArray(),
  processes: image.pidinfo().toArray(),
};
writeFileSync(target('golden.json'), `${JSON.stringify(expected, null, 2)}\n`);
handle.close();
child.kill('SIGKILL');
