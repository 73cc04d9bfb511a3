import { readFileSync } from 'node:fs';

/** The root of the installed package, relative to the compiled file. */
export const packageRoot = new URL('../../', import.meta.url);

/** This package's version, from its package.json. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
    // npm requires a version in a package.
    version: string;
  };
  return version;
}
