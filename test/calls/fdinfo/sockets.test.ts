/** Sockets that are half closed, and those of Multipath TCP, as servers open them by default in some languages. */

import { expect } from 'vitest';
import type { Descriptor } from '../../../src/index.ts';
import { describeBackends } from '../../helpers/backends.ts';
import { needs, when } from '../../helpers/needs.ts';
import { shell } from '../../helpers/processes.ts';
import { until } from '../../helpers/scale.ts';

/** Descriptors 20 to 26, and one more pair of each where the kernel has Multipath TCP. */
const WORLD = `
import os, socket, time
def put(numbers, sockets):
    for number, each in zip(numbers, sockets): os.dup2(each.fileno(), number)
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname()); accepted, _ = server.accept()
client.shutdown(socket.SHUT_WR)
one, other = socket.socketpair(); one.shutdown(socket.SHUT_RD)
both, end = socket.socketpair(); both.shutdown(socket.SHUT_RDWR)
put(range(20, 27), [server, client, accepted, one, other, both, end])
try:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    listener.bind(("127.0.0.1", 0)); listener.listen(7)
    caller = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); caller.connect(listener.getsockname())
    called, _ = listener.accept()
    put(range(30, 33), [listener, caller, called])
    print("mptcp", listener.getsockname()[1], flush=True)
except OSError as error:
    print("without", error.errno, flush=True)
time.sleep(1000)
`;

const plain = (row: Descriptor): Record<string, unknown> => JSON.parse(JSON.stringify(row));

describeBackends('sockets', (handle, { name, proc }) => {
  const world = async () => {
    const child = shell(`exec python3 -c '${WORLD}'`);
    const said = await until('it is there', () => /^(mptcp|without) (\d+)\n/m.exec(child.output()));
    return { pid: child.pid, mptcp: said[1] === 'mptcp', port: Number(said[2]) };
  };
  // Without netlink the state of a shutdown is nowhere to be read.
  const { test } =
    name === 'proc by node:fs alone' ? when(false, '/proc/net does not tell it') : needs('python3');

  test('what shutdown(2) has closed, at both ends', async () => {
    const { pid } = await world();
    const fds = [20, 21, 22, 23, 24, 25, 26];
    const look = () => handle().fdinfo(pid, { fd: fds }).toArray().map(plain);
    const found = await until('what was sent last is acknowledged', () => {
      const rows = look();
      return rows[1]?.state === 'FIN_WAIT1' ? undefined : rows;
    });
    expect(found.map(({ fd, type, state, shutdown }) => [fd, type, state, shutdown])).toEqual([
      [20, 'tcp', 'LISTEN', '-'],
      [21, 'tcp', 'FIN_WAIT2', 'w'],
      [22, 'tcp', 'CLOSE_WAIT', 'r'],
      [23, 'unix', 'CONNECTED', 'r'],
      [24, 'unix', 'CONNECTED', 'w'],
      [25, 'unix', 'CONNECTED', 'rw'],
      [26, 'unix', 'CONNECTED', 'rw'],
    ]);
  });

  test('Multipath TCP: addresses, states and ports, but no queues of its own', async ({ skip }) => {
    const { pid, mptcp, port } = await world();
    if (!mptcp) skip('the kernel has no Multipath TCP');
    const [listener, caller, called] = handle()
      .fdinfo(pid, { fd: [30, 31, 32] })
      .toArray()
      .map(plain);
    if (proc && listener!.protocol !== 'mptcp') {
      // A kernel without mptcp_diag: its first flow is told of, where that has its inode, or nothing.
      expect([listener, caller, called].map((row) => row!.type)).toEqual(['tcp', 'tcp', 'tcp']);
      skip('/proc/net does not tell it');
    }
    const local = { address: '127.0.0.1', port };
    const common = { type: 'tcp', protocol: 'mptcp', family: 4 };
    expect(listener).toMatchObject({ ...common, local, state: 'LISTEN' });
    expect(called).toMatchObject({ ...common, local, state: 'ESTABLISHED', remote: caller!.local });
    expect(caller).toMatchObject({ ...common, remote: local, local: called!.remote });
    for (const each of [listener, caller])
      for (const queue of ['receiveQueue', 'sendQueue']) expect(each).not.toHaveProperty(queue);
    const byPort = handle().fdinfo(undefined, { port }).toArray();
    expect(new Set(byPort.filter((row) => row.pid === pid).map(({ fd }) => Number(fd) >= 30))).toContain(
      true,
    );
    expect(byPort.map(({ fd }) => fd)).toEqual(expect.arrayContaining([30, 31, 32]));
  });
});
