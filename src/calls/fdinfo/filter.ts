import type { Descriptor } from '../../abi/fdinfo/decode.ts';
import { InetSocketDescriptor } from '../../abi/fdinfo/inet-sockets.ts';
import { UnixSocketDescriptor } from '../../abi/fdinfo/sockets.ts';
import { bytesOf } from '../../abi/fdinfo/text.ts';
import type { FdinfoQuestion } from '../../backends/fdinfo.ts';
import type { NamedFile, Wanted } from './options.ts';

/** Of a list of several a backend leaves out nothing: all of them are looked for here. */
function theOnly<T>(set: ReadonlySet<T> | undefined): T | undefined {
  const [first] = set?.size === 1 ? set : [];
  return first;
}

/** What a backend may leave out already. */
export function questionOf(wanted: Wanted, pid: number | undefined): FdinfoQuestion {
  const { fds, files, types, ports, inodes, device, users, command } = wanted;
  const fd = theOnly(fds);
  const file = files?.length === 1 ? files[0] : undefined;
  const inode = theOnly(inodes);
  return {
    pid,
    types,
    fd: typeof fd === 'number' ? fd : undefined,
    // A unix socket's own inode is not that of the name that it is bound to.
    inode: typeof inode === 'number' ? inode : file && !file.socket ? file.inode : undefined,
    port: theOnly(ports),
    dev: device?.number,
    user: theOnly(users),
    command: typeof command === 'string' ? bytesOf(command) : undefined,
    details: wanted.details,
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
  const { users, command, types, fds, files, tree, device, ports, inodes } = wanted;
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
  if (files) tests.push((row) => files.some((file) => isFile(row, file)));
  if (tree !== undefined) {
    const below = tree === '/' ? '/' : `${tree}/`;
    tests.push((row) => row.path !== undefined && (row.path === tree || row.path.startsWith(below)));
  }
  if (device !== undefined) tests.push((row) => row.dev === device.name);
  if (ports) {
    tests.push((row) => {
      if (!(row instanceof InetSocketDescriptor)) return false;
      const { local, remote } = row;
      return (
        (local !== undefined && ports.has(local.port)) || (remote !== undefined && ports.has(remote.port))
      );
    });
  }
  if (inodes) tests.push((row) => row.inode !== undefined && inodes.has(row.inode));
  if (tests.length === 0) return undefined;
  return (row) => tests.every((test) => test(row));
}
