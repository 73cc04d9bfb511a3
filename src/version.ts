import { readFileSync } from 'node:fs';

/** The top of the installed package, seen from the compiled file. */
export const packageRoot = new URL('../../', import.meta.url);

/** This package's version, from its package.json. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
    // npm refuses to pack a package without one.
    version: string;
  };
  return version;
}
