/** Bytes of the kernel's as text without loss. */

const isTrailing = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** Length of the well-formed UTF-8 sequence at `at`, 0 if there is none (RFC 3629, table 3-7 of Unicode). */
function sequence(bytes: Uint8Array, at: number): number {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  if (a < 0x80) return 1;
  if (a < 0xc2 || a > 0xf4 || !isTrailing(b)) return 0;
  if (a < 0xe0) return 2;
  if (!isTrailing(bytes[at + 2])) return 0;
  if (a < 0xf0) return (a === 0xe0 && b < 0xa0) || (a === 0xed && b > 0x9f) ? 0 : 3;
  if (!isTrailing(bytes[at + 3])) return 0;
  return (a === 0xf0 && b < 0x90) || (a === 0xf4 && b > 0x8f) ? 0 : 4;
}

/**
 * UTF-8; a byte that is none becomes U+DC00 + byte, a lone surrogate, which no
 * UTF-8 decodes to (Python's surrogateescape, PEP 383). JSON has it as \udcXX.
 */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  let result = '';
  let good = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequence(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    result += buffer.toString('utf8', good, at) + String.fromCharCode(0xdc00 + (bytes[at] as number));
    good = ++at;
  }
  return result + buffer.toString('utf8', good);
}

/** The bytes that {@link textOf} made `text` of. */
export function bytesOf(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text);
  const pieces = text.split(/(?<![\ud800-\udbff])([\udc80-\udcff])/);
  return Buffer.concat(
    pieces.map((piece, i) =>
      i % 2 === 1 ? Buffer.from([piece.charCodeAt(0) - 0xdc00]) : Buffer.from(piece),
    ),
  );
}
