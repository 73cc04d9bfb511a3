/** What matches names for which a pattern stands: `*` is any text, everything else itself. */
export function createNamePattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'su');
}
