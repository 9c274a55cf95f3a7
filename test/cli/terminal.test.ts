/** What reaches a terminal. */

import { describe, expect, test } from 'vitest';
import { parsePasswd } from '../../src/calls/users.ts';
import type { Column } from '../../src/cli/columns/column.ts';
import { table } from '../../src/cli/output/table.ts';
import { cut, visible, widthOf } from '../../src/cli/output/terminal.ts';

describe('visible()', () => {
  test('spells out what a terminal would obey or not show', () => {
    expect(visible('a\x1b[2Jb')).toBe('a\\x1b[2Jb');
    expect(visible('\0\n\t\x7f\x9b')).toBe('\\x00\\x0a\\x09\\x7f\\x9b');
    expect(visible('\u202eexe.\u2066\u200b\u200d\ufeff\u061c')).toBe(
      '\\u{202e}exe.\\u{2066}\\u{200b}\\u{200d}\\u{feff}\\u{61c}',
    );
    expect(visible('\u{e0041}\u2028\ud800')).toBe('\\u{e0041}\\u{2028}\\u{d800}');
  });

  test('leaves what is seen', () => {
    for (const text of ['plain ~', 'Grüße', '日本語', 'e\u0301', '🙂', '(sd-pam)', '\\x1b']) {
      expect(visible(text)).toBe(text);
    }
  });
});

describe('widthOf() and cut()', () => {
  test('wide characters take two columns, combining ones none', () => {
    expect(widthOf('abc')).toBe(3);
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('e\u0301')).toBe(1);
    expect(widthOf('🙂')).toBe(2);
    expect(widthOf('Ａ')).toBe(2);
  });

  test('never more than asked, no character in halves', () => {
    expect(cut('abcdef', 3)).toBe('abc');
    expect(cut('日本語', 3)).toBe('日');
    expect(cut('e\u0301x', 1)).toBe('e\u0301');
    expect(cut('a🙂', 2)).toBe('a');
  });
});

interface Row {
  n: number;
  name: string | undefined;
}
const COLUMNS: readonly Column<Row>[] = [
  { name: 'n', heading: 'N', align: 'right', type: 'number', help: '', value: (row) => row.n },
  { name: 'name', heading: 'NAME', align: 'left', type: 'string', help: '', value: (row) => row.name },
];
const ROWS: Row[] = [
  { n: 1, name: 'one\x1b[31m two three' },
  { n: 1000, name: undefined },
];

describe('table()', () => {
  test('in a pipe: aligned, raw, whole', () => {
    expect([...table(COLUMNS, ROWS, { header: true, width: undefined })]).toEqual([
      '   N  NAME\n',
      '   1  one\x1b[31m two three\n',
      '1000  -\n',
    ]);
  });

  test('on a terminal: visible, and cut to its width', () => {
    const lines = [...table(COLUMNS, ROWS, { header: false, width: 14 })];
    expect(lines).toEqual(['   1  one\\x1b[\n', '1000  -\n']);
  });
});

test('names of users: the first of a number counts, what is no line is left out', () => {
  const text =
    'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n+nis\n:x:5:\nbad:x:-1:\nme:x:1000:1000:';
  expect([...parsePasswd(text)]).toEqual([
    [0, 'root'],
    [1000, 'me'],
  ]);
});
