/** The variables that a resource needs from os-release(5). */
interface OsRelease {
  readonly NAME?: string;
  readonly VERSION_ID?: string;
  readonly PRETTY_NAME?: string;
}

/** The assignments of os-release(5), a small part of shell syntax: values plain, in single or double quotes. */
export function parseOsRelease(text: string): OsRelease {
  const assignments = text.matchAll(/^\s*([A-Z_\d]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*?))\s*$/gm);
  return Object.fromEntries(
    [...assignments].map(([, name, double, single, plain]) => [name, unescape(double) ?? single ?? plain]),
  );
}

function unescape(value: string | undefined): string | undefined {
  return value?.replaceAll(/\\(.)/g, '$1');
}
