import { readFileSync } from 'node:fs';

/**
 * A file of assets/. This module stands where the package's only module will
 * stand (scripts/bundle.mjs), so that the way to the folder is the same in both.
 */
export const asset = (name: string): Buffer => readFileSync(new URL(`../assets/${name}`, import.meta.url));

/** Of package.json. */
export const packageVersion = (): string => JSON.parse(asset('../package.json').toString()).version;
