/** Whether a name is wanted: included, or nothing was said of that, and not excluded. */
export function createNameFilter(filter: {
  readonly include: string | null;
  readonly exclude: string | null;
}): (name: string) => boolean {
  const include = filter.include === null ? undefined : new RegExp(filter.include, 'u');
  const exclude = filter.exclude === null ? undefined : new RegExp(filter.exclude, 'u');
  return (name) => include?.test(name) !== false && exclude?.test(name) !== true;
}

/** What matches names for which a pattern stands: `*` is any text, everything else itself. */
export function createNamePattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'su');
}
