/** Names of systemd units that have cgroups. */
export const unitName = /^.+\.(?:service|scope|slice|mount|socket|swap)$/;

/** systemd prefixes names that could collide with the kernel's files with an underscore, `_cpu.service`. */
export function unescapeName(name: string): string {
  return name.startsWith('_') && unitName.test(name) ? name.slice(1) : name;
}

/** Reverses systemd-escape(1), except for `-`, which stands for a slash that none of these names can contain. */
export function unescapeUnit(text: string): string {
  if (!text.includes('\\x')) return text;
  const bytes = Buffer.from(text).toString('latin1');
  const plain = bytes.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1').toString('utf8');
}
