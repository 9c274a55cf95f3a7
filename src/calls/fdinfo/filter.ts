import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import { InetSocketDescriptor, UnixSocketDescriptor } from '../../abi/fdinfo/sockets.ts';
import { bytesOf } from '../../abi/fdinfo/text.ts';
import type { FdinfoQuestion } from '../../backends/fdinfo.ts';
import type { NamedFile, Wanted } from './options.ts';

/** What a backend may leave out already. */
export function questionOf(wanted: Wanted, pid: number | undefined): FdinfoQuestion {
  const { fds, file, types, port, inode, device, users, command } = wanted;
  const [fd] = fds?.size === 1 ? fds : [];
  const [user] = users?.size === 1 ? users : [];
  return {
    pid,
    types,
    // A single number; several, or places, are looked for here.
    fd: typeof fd === 'number' ? fd : undefined,
    // A unix socket's own inode is not that of the name that it is bound to.
    inode: inode ?? (file && !file.socket ? file.inode : undefined),
    port,
    dev: device?.number,
    user,
    command: typeof command === 'string' ? bytesOf(command) : undefined,
    details: true,
    paths: true,
    places: wanted.places,
    mappings: wanted.mappings,
    stat: wanted.stat,
  };
}

function isFile(row: Descriptor, file: NamedFile): boolean {
  if (row instanceof UnixSocketDescriptor) return row.path === file.path;
  if (file.inode !== undefined && row.inode === file.inode && row.dev === file.device?.name) return true;
  // st_dev is not the kernel's device on btrfs subvolumes and overlays: there the path decides.
  return row.path === file.path;
}

/** @returns undefined when every row matches */
export function filterOf(wanted: Wanted): ((row: Descriptor) => boolean) | undefined {
  const tests: ((row: Descriptor) => boolean)[] = [];
  const { users, command, types, fds, file, tree, device, port, inode } = wanted;
  if (users) tests.push((row) => row.processUid !== undefined && users.has(row.processUid));
  if (typeof command === 'string') tests.push((row) => row.command === command);
  else if (command) {
    tests.push((row) => {
      command.lastIndex = 0;
      return command.test(row.command ?? '');
    });
  }
  if (types) tests.push((row) => types.has(row.type));
  if (fds) tests.push((row) => fds.has(row.fd));
  if (file) tests.push((row) => isFile(row, file));
  if (tree !== undefined) {
    const below = tree === '/' ? '/' : `${tree}/`;
    tests.push((row) => row.path !== undefined && (row.path === tree || row.path.startsWith(below)));
  }
  if (device !== undefined) tests.push((row) => row.dev === device.name);
  if (port !== undefined) {
    tests.push(
      (row) => row instanceof InetSocketDescriptor && (row.local?.port === port || row.remote?.port === port),
    );
  }
  if (inode !== undefined) tests.push((row) => row.inode === inode);
  if (tests.length === 0) return undefined;
  return (row) => tests.every((test) => test(row));
}
