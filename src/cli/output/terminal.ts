/** Text that is safe and of known width on a terminal. */

/**
 * Characters that act instead of being seen: controls (ESC among them), format
 * characters (bidirectional, zero-width, tags), line and paragraph separators,
 * halves of surrogate pairs, and those without a meaning.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** `\e[2J` as `\x1b[2J`: a file or a process may be named so that the terminal obeys it. */
export function visible(text: string): string {
  return text.replace(ACTING, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const PLAIN = /^[\x20-\x7e]*$/;
const COMBINING = /[\p{Mn}\p{Me}]/u;
/** East Asian Width W and F of UAX #11, by blocks; Emoji_Presentation are W too. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d08}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;

const cells = (character: string) => (COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1);

/** Columns that `text` takes on a terminal. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cells(character);
  return width;
}

/** The longest beginning of `text` that fits in `width` columns. */
export function cut(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, width);
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += cells(character);
    if (used > width) break;
    end += character.length;
  }
  return text.slice(0, end);
}
