/** The kinds of a process's descriptors, by what fdinfo tells of the type of each. */

import { RecordWriter } from '../../../abi/attributes.ts';
import { Chunk } from '../../../abi/fdinfo/record.ts';
import * as abi from '../../../abi/layout.gen.ts';
import { countKind, type KindCounts, noKinds } from '../../../abi/pidinfo/kinds.ts';
import { ENOENT } from '../../../sys/errno.ts';
import type { FdinfoQuestion } from '../../fdinfo.ts';
import { linkText, type ProcFiles } from '../files.ts';
import { DescriptorReader } from './descriptor.ts';
import { OwnMounts } from './link.ts';
import { isLocal } from './mounts.ts';
import { subjectOf } from './process.ts';

const QUESTION: FdinfoQuestion = {
  pid: undefined,
  details: false,
  paths: false,
  places: false,
  mappings: false,
  stat: false,
};

export class KindReader {
  readonly #files: ProcFiles;
  readonly #reader: DescriptorReader;

  constructor(files: ProcFiles) {
    this.#files = files;
    this.#reader = new DescriptorReader(files, undefined, QUESTION, new OwnMounts(files, isLocal));
  }

  /** Of the table in this directory below /proc, or a negative errno. */
  counts(directory: string, pid: number, tid: number): KindCounts | number {
    const numbers = this.#files.numbers(`${directory}/fd`);
    if (typeof numbers === 'number') return numbers;
    // As fdinfo has it: the directory's mode may let in whom the access check keeps out.
    const refused = linkText(`${directory}/cwd`);
    if (typeof refused === 'number' && refused !== -ENOENT) return refused;
    const subject = subjectOf(this.#files, pid, tid, undefined);
    const counts = noKinds();
    const writer = new RecordWriter();
    for (const fd of numbers) {
      const errno = this.#reader.add(subject, fd, writer);
      if (errno < 0) return errno;
    }
    const chunk = Chunk.copyOf(writer.finish());
    for (let at = 0; at < chunk.u8.length; at += chunk.size(at))
      if (chunk.kind(at) === abi.FDMAP_KIND_DESCRIPTOR)
        countKind(counts, chunk.int(at + abi.FDINFO_RECORD_TYPE));
    return counts;
  }
}
