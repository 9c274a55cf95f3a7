/**
 * @param {string[]} head
 * @param {string[][]} lines
 * @param {Set<number>} [right] columns that are numbers
 * @returns {string}
 */
export function plainTable(head, lines, right = new Set()) {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)));
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, i) => (right.has(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * @param {import('./rows.mjs').Row[]} rows
 * @returns {string} the one table of a run
 */
export function resultTable(rows) {
  return plainTable(
    ['KERNEL', 'BOOT', 'FEATURE', 'RESULT', 'SECONDS', 'DETAIL'],
    rows.map((row) => [
      row.kernel,
      row.boot,
      row.feature,
      row.result,
      row.seconds === undefined ? '' : row.seconds.toFixed(1),
      row.detail,
    ]),
    new Set([4]),
  );
}

/**
 * Aligned, as the formatter of this project wants it.
 * @param {string[]} head
 * @param {string[][]} lines
 * @returns {string}
 */
function markdownTable(head, lines) {
  const widths = head.map((title, i) => Math.max(3, title.length, ...lines.map((cells) => cells[i].length)));
  const ruler = widths.map((width) => '-'.repeat(width));
  return [head, ruler, ...lines]
    .map((cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`)
    .join('\n');
}

/**
 * The part of docs/kernels.md that comes from a run: features, compiled programs and boots by kernel. It
 * has no times, so that it changes only when an answer changes.
 * @param {import('./rows.mjs').Row[]} rows
 * @param {import('./features.mjs').Feature[]} features
 * @param {Record<string, string>} programs
 * @returns {string}
 */
export function documentation(rows, features, programs) {
  const kernels = [...new Set(rows.map(({ kernel }) => kernel))];
  const boots = [...new Set(rows.map(({ boot }) => boot))];
  const sign = { ok: 'yes', early: 'yes', no: '–', FAIL: '**fails**', skipped: 'skipped' };
  /** @param {string} feature @returns {string[]} what each kernel says */
  const answers = (feature) =>
    kernels.map((kernel) => {
      const row = rows.find((r) => r.kernel === kernel && r.feature === feature);
      return row ? sign[row.result] : '';
    });
  const featureLines = features.map(({ id, what, since }) => [`\`${id}\``, what, since, ...answers(id)]);
  const programLines = Object.entries(programs).map(([name, since]) => [
    `\`${name}\``,
    since,
    ...answers(`program ${name}`),
  ]);
  const bootLines = boots.map((boot) => [
    `\`${boot}\``,
    ...kernels.map((kernel) => {
      const own = rows.filter((r) => r.kernel === kernel && r.boot === boot);
      if (own.length === 0) return '';
      const tier = own.find((r) => r.feature === 'tier')?.detail;
      const good = own.every((r) => r.result !== 'FAIL');
      return good ? (tier ? `tier ${tier}` : 'passes') : '**fails**';
    }),
  ]);
  return [
    markdownTable(['feature', 'what', 'since', ...kernels], featureLines),
    '',
    markdownTable(['compiled programs', 'since', ...kernels], programLines),
    '',
    markdownTable(['boot', ...kernels], bootLines),
  ].join('\n');
}

/**
 * @param {string} page
 * @param {string} content
 * @returns {string} the page with what is between its markers replaced
 */
export function replaceBetweenMarkers(page, content) {
  const pattern = /(<!-- kernels:begin -->)[\s\S]*?(<!-- kernels:end -->)/;
  if (!pattern.test(page))
    throw new Error('docs/kernels.md: no <!-- kernels:begin --> … <!-- kernels:end -->');
  return page.replace(pattern, (_all, begin, end) => `${begin}\n${content}\n${end}`);
}
