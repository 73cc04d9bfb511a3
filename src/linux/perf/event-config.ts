import { encodeTerms, parseFieldLayout, type FieldLayout } from './format.js';

const eventTerms = new Set(['event', 'umask', 'config']);

/**
 * The `config` of a PMU's event as its file in sysfs has it: `event=0x02`, `event=0x2,umask=0x01`.
 * @param formats the PMU's format files by name: `config:0-7`; what is not there is where it is on x86
 * @returns undefined for what is no event of this PMU: empty, unknown terms, a number that does not fit
 */
export function parseEvent(
  text: string,
  formats: Readonly<Record<string, string>> = {},
): number | bigint | undefined {
  const terms = text.trim().split(',').map(parseTerm);
  if (!terms.some(({ name }) => eventTerms.has(name))) return undefined;
  try {
    const [config, ...others] = encodeTerms(terms, createLayouts(formats));
    if (others.some((word) => word !== 0n)) return undefined;
    return config <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(config) : config;
  } catch {
    return undefined;
  }
}

/** A term that is only named is a flag. */
function parseTerm(text: string): { readonly name: string; readonly value: string } {
  const [name = '', ...value] = text.trim().split('=');
  return { name, value: value.length === 0 ? '1' : value.join('=') };
}

function createLayouts(formats: Readonly<Record<string, string>>): ReadonlyMap<string, FieldLayout> {
  const all = { event: 'config:0-7', umask: 'config:8-15', ...formats };
  return new Map(
    Object.entries(all).flatMap(([name, text]) => {
      const layout = parseFieldLayout(text);
      return layout ? [[name, layout] as const] : [];
    }),
  );
}
