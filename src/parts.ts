/**
 * What is not needed by every program is loaded by the first call that needs it: each of these
 * is a module of its own in dist/ (scripts/bundle.mjs). The sources themselves are imported whole.
 */

export type Part = 'fdinfo' | 'pidinfo';

/**
 * Loads a part of the package now, so that no call needs a descriptor for it later. The bundler
 * puts the loading in the place of this function; among the sources there is nothing to load.
 */
export function loadPart(_part: Part): void {
  // Imported already.
}
