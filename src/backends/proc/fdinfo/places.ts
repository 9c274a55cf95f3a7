/** What a process holds without a descriptor: cwd, root, exe, mapped files. */

import type { RecordWriter } from '../../../abi/attributes.ts';
import { PLACES, type PlaceName } from '../../../abi/fdinfo/types.ts';
import * as abi from '../../../abi/layout.gen.ts';
import { ENAMETOOLONG } from '../../../sys/errno.ts';
import type { ProcFiles } from '../files.ts';
import { Head } from './head.ts';
import { isDeleted, linkBytes, statusOfFile } from './link.ts';
import type { Subject } from './process.ts';
import { hexLong } from './text.ts';

const PROTECTION: Readonly<Record<string, number>> = { r: 1, w: 2, x: 4, s: 8 };

/**
 * Places have no fdinfo and so no mount id: what kind of file it is follows from the
 * place, and stat(2) is asked only where the caller wants that at any price.
 */
export function addPlace(subject: Subject, name: PlaceName, stat: boolean, writer: RecordWriter): void {
  const path = `${subject.directory}/${name}`;
  const link = linkBytes(path);
  if (typeof link === 'number' && link !== -ENAMETOOLONG) return;
  const head = new Head(writer, subject, PLACES[name]);
  const type = name === 'exe' ? abi.FDINFO_FILE : abi.FDINFO_DIR;
  head.set(0, abi.FDINFO_RECORD_TYPE, type);
  const status = stat ? statusOfFile(path) : undefined;
  if (status) head.setStatus(status, type);
  if (typeof link === 'number') {
    head.setTruncated();
  } else {
    const deleted = isDeleted(link, status, () => true);
    if (deleted !== undefined)
      head.set(abi.FDINFO_HAS_DELETED, abi.FDINFO_RECORD_BITS, deleted ? abi.FDINFO_DELETED : 0);
    writer.payload(abi.FDINFO_A_PATH, link);
  }
  writer.end();
}

/** proc_pid_maps(5): device, inode and path, but not what kind of file it is. */
const LINE = /^([0-9a-f]+)-([0-9a-f]+) (....) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+) +(\/.*)$/;

/** Files that are mapped. The kernel takes the process's mmap_lock for each page of the text. */
export function addMappings(files: ProcFiles, subject: Subject, writer: RecordWriter): void {
  const text = files.whole(`${subject.directory}/maps`);
  if (typeof text === 'number') return;
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match) continue;
    const [
      ,
      start = '0',
      end = '0',
      bits = '',
      offset = '0',
      major = '0',
      minor = '0',
      inode = '0',
      name = '',
    ] = match;
    const head = new Head(writer, subject, PLACES.mem);
    head.set(0, abi.FDINFO_RECORD_TYPE, abi.FDINFO_UNKNOWN);
    const device = ((Number.parseInt(major, 16) << 20) | Number.parseInt(minor, 16)) >>> 0;
    head.set(abi.FDINFO_HAS_DEV, abi.FDINFO_RECORD_DEV, device);
    head.setInode(BigInt(inode));
    // A newline is the one byte that is escaped: seq_file_path() in show_map_vma()
    const bytes = Buffer.from(name.replaceAll('\\012', '\n'), 'latin1');
    const deleted = isDeleted(bytes, undefined, () => false);
    if (deleted !== undefined) head.set(abi.FDINFO_HAS_DELETED, abi.FDINFO_RECORD_BITS, 0);
    const at = writer.attribute(abi.FDINFO_A_MAPPING, abi.SIZEOF_FDINFO_MAPPING);
    const protection = [...bits].reduce((sum, letter) => sum | (PROTECTION[letter] ?? 0), 0);
    writer.setU32(at + abi.FDINFO_MAPPING_PROTECTION, protection);
    writer.setU64(at + abi.FDINFO_MAPPING_START, hexLong(start));
    writer.setU64(at + abi.FDINFO_MAPPING_END, hexLong(end));
    writer.setU64(at + abi.FDINFO_MAPPING_OFFSET, hexLong(offset));
    writer.payload(abi.FDINFO_A_PATH, bytes);
    writer.end();
  }
}
