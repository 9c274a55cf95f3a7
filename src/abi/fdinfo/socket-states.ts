/** What a socket of any family can be in: its state, and what of it is shut. */

import * as abi from '../layout.gen.ts';
import type { Access } from './descriptor.ts';

/** include/net/tcp_states.h, as ss(8) and netstat(8) print them. */
export const STATES = [
  undefined,
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
  'BOUND_INACTIVE',
] as const;
export type SocketState = Exclude<(typeof STATES)[number], undefined>;

/** Of the bits in `valid` of struct fdinfo_inet and struct fdinfo_socket. */
export function shutdownOf(valid: number): Access | undefined {
  if ((valid & abi.FDINFO_KNOWS_SHUTDOWN) === 0) return undefined;
  const read = valid & abi.FDINFO_SHUT_READ ? 'r' : '';
  const write = valid & abi.FDINFO_SHUT_WRITE ? 'w' : '';
  return (read + write || '-') as Access;
}
