import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createNamePattern } from '../scraping/lines.js';

/** The name of the standard input. */
export const standardInput = '-';

/** The files that match a list of paths and patterns, and those that do not exist. */
export interface FoundFiles {
  readonly paths: readonly string[];
  readonly missing: readonly string[];
}

/** Finds files. The matches of a pattern are in alphabetical order, in which backups precede the current file. */
export function findRecordings(files: readonly string[]): FoundFiles {
  const found = files.map((file) => ({ file, paths: findMatches(file) }));
  return {
    paths: found.flatMap(({ paths }) => paths),
    missing: found.filter(({ paths }) => paths.length === 0).map(({ file }) => file),
  };
}

function findMatches(file: string): readonly string[] {
  if (file === standardInput || existsSync(file)) return [file];
  const folder = dirname(file);
  if (!basename(file).includes('*') || !existsSync(folder)) return [];
  const pattern = createNamePattern(basename(file));
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}
