import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createNamePattern } from '../../src/scraping/lines.js';

/** How the standard input is named. */
export const standardInput = '-';

/** The files of a list of paths and patterns, and those of them that are not there. */
export interface FoundFiles {
  readonly paths: readonly string[];
  readonly missing: readonly string[];
}

/** Finds files. Names that a pattern stands for are in alphabetical order: backups come before what follows them. */
export function findFiles(files: readonly string[]): FoundFiles {
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
