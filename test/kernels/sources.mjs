import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from './exec.mjs';

/**
 * The Debian archives that this machine already uses, found in its apt sources, so that no address
 * has to be written down here: mirrors and proxies of the machine go on being used.
 * @typedef {{uris: string, signedBy: string | undefined}} Archive
 */

/** Releases whose kernels are wanted, oldest first. */
export const releases = ['bookworm', 'trixie'];

/**
 * @param {string} text a deb822 file
 * @returns {Map<string, string>[]} stanzas, by lower-case field name
 */
export function parseDeb822(text) {
  const stanzas = [];
  for (const block of text.split(/\n[ \t]*\n/)) {
    const fields = new Map();
    let name = '';
    for (const line of block.split('\n')) {
      if (line.startsWith('#')) continue;
      const field = /^([A-Za-z][\w-]*):[ \t]*(.*)$/.exec(line);
      if (field) {
        name = field[1].toLowerCase();
        fields.set(name, field[2]);
      } else if (/^[ \t]/.test(line) && name) {
        fields.set(name, `${fields.get(name)}\n${line}`);
      }
    }
    if (fields.size > 0) stanzas.push(fields);
  }
  return stanzas;
}

/**
 * @param {string} text a one-line-style file
 * @returns {Map<string, string>[]} the same shape as parseDeb822 gives
 */
export function parseOneLine(text) {
  const stanzas = [];
  for (const line of text.split('\n')) {
    const entry = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s/.exec(`${line} `);
    if (!entry) continue;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(entry[1] ?? '');
    const fields = new Map([
      ['types', 'deb'],
      ['uris', entry[2]],
      ['suites', entry[3]],
    ]);
    if (signedBy) fields.set('signed-by', signedBy[1]);
    stanzas.push(fields);
  }
  return stanzas;
}

/** @param {string} etc the folder of apt's configuration */
function readStanzas(etc) {
  const stanzas = [];
  const list = join(etc, 'sources.list');
  if (existsSync(list)) stanzas.push(...parseOneLine(readFileSync(list, 'utf8')));
  const parts = join(etc, 'sources.list.d');
  for (const name of existsSync(parts) ? readdirSync(parts).sort() : []) {
    const text = () => readFileSync(join(parts, name), 'utf8');
    if (name.endsWith('.list')) stanzas.push(...parseOneLine(text()));
    if (name.endsWith('.sources')) stanzas.push(...parseDeb822(text()));
  }
  return stanzas.filter((s) => /\bdeb\b/.test(s.get('types') ?? '') && !/^no$/i.test(s.get('enabled') ?? ''));
}

/**
 * @param {string} [etc]
 * @returns {{main: Archive, security: Archive | undefined}}
 */
export function machineArchives(etc = '/etc/apt') {
  const debian = /^(?:bullseye|bookworm|trixie|forky|oldstable|stable|testing|sid)(-security)?$/;
  let main;
  let security;
  for (const stanza of readStanzas(etc)) {
    for (const suite of (stanza.get('suites') ?? '').split(/\s+/)) {
      const match = debian.exec(suite);
      if (!match) continue;
      const archive = { uris: stanza.get('uris') ?? '', signedBy: stanza.get('signed-by') };
      if (match[1]) security ??= archive;
      else main ??= archive;
    }
  }
  if (!main) throw new Unavailable(`${etc}: no Debian archive among the sources: kernels come from Debian`);
  return { main, security };
}

/**
 * @param {string} [etc]
 * @returns {string} a deb822 file with every suite that has kernels
 */
export function kernelSources(etc) {
  const { main, security } = machineArchives(etc);
  /** @type {(archive: Archive, suites: string[]) => string} */
  const stanza = ({ uris, signedBy }, suites) =>
    [
      'Types: deb',
      `URIs: ${uris}`,
      `Suites: ${suites.join(' ')}`,
      'Components: main',
      ...(signedBy ? [`Signed-By: ${signedBy}`] : []),
      '',
    ].join('\n');
  const stanzas = [
    stanza(
      main,
      releases.flatMap((release) => [release, `${release}-backports`]),
    ),
  ];
  if (security)
    stanzas.push(
      stanza(
        security,
        releases.map((release) => `${release}-security`),
      ),
    );
  return stanzas.join('\n');
}
