/** The kinds of a process's descriptors out of an image's descriptors: its own records have no such group. */

import { RecordWriter } from '../../abi/attributes.ts';
import {
  FDMAP_KIND_PROCESS,
  FDMAP_RECORD_FIXED,
  FDMAP_RECORD_MASK,
  FDMAP_RECORD_SIZE,
  PIDINFO_KINDS,
  SIZEOF_FDMAP_RECORD,
} from '../../abi/layout.gen.ts';
import { addKindCounts, type KindCounts } from '../../abi/pidinfo/kinds.ts';

/** The record, and behind its fixed part an attribute more: behind the last one padding may end it. */
export function withKinds(record: Uint8Array, counts: KindCounts): Uint8Array {
  const writer = new RecordWriter();
  addKindCounts(writer.begin(FDMAP_KIND_PROCESS, SIZEOF_FDMAP_RECORD), counts);
  writer.end();
  const attribute = writer.finish().subarray(SIZEOF_FDMAP_RECORD);
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const fixed = view.getUint16(FDMAP_RECORD_FIXED, true);
  const longer = Buffer.concat([record.subarray(0, fixed), attribute, record.subarray(fixed)]);
  longer.writeUInt32LE(longer.length, FDMAP_RECORD_SIZE);
  longer.writeUInt32LE(
    (view.getUint32(FDMAP_RECORD_MASK, true) | (1 << PIDINFO_KINDS)) >>> 0,
    FDMAP_RECORD_MASK,
  );
  return longer;
}
