/** Whether a name is wanted: included, or nothing was said of that, and not excluded. */
export function createNameFilter(filter: {
  readonly include: string | null;
  readonly exclude: string | null;
}): (name: string) => boolean {
  const include = filter.include === null ? undefined : new RegExp(filter.include, 'u');
  const exclude = filter.exclude === null ? undefined : new RegExp(filter.exclude, 'u');
  return (name) => include?.test(name) !== false && exclude?.test(name) !== true;
}
