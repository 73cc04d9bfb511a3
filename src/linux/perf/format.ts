import type { Term } from './grammar.js';

/** The words of `struct perf_event_attr` whose meaning a PMU defines: config, config1, config2, config3. */
export type ConfigWords = readonly [bigint, bigint, bigint, bigint];

/** The bit ranges of a term's value, starting with its lowest bits. */
export interface FieldLayout {
  /** 0: config, 1: config1 and so on. */
  readonly word: 0 | 1 | 2 | 3;
  readonly ranges: readonly (readonly [first: number, last: number])[];
}

const wordNames = ['config', 'config1', 'config2', 'config3'];

/** Parses a file of a PMU's `format` folder: `config:0-7,21`. Undefined if it is something else. */
export function parseFieldLayout(text: string): FieldLayout | undefined {
  const [, name = '', list = ''] =
    /^(config[123]?):(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)$/.exec(text.trim()) ?? [];
  const ranges = list.split(',').map((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return [first, last] as const;
  });
  const isRight = ranges.every(([first, last]) => first <= last && last < 64);
  const word = wordNames.indexOf(name);
  return isRight && isWord(word) ? { word, ranges } : undefined;
}

/**
 * Encodes the values of terms by the PMU's formats, in order; the later of two wins. `config=` to `config3=`
 * set a whole word.
 * @param layouts by the name of the term
 * @throws Error naming the wrong term
 */
export function encodeTerms(
  terms: readonly Term[],
  layouts: ReadonlyMap<string, FieldLayout>,
  words: ConfigWords = [0n, 0n, 0n, 0n],
): ConfigWords {
  const encoded: [bigint, bigint, bigint, bigint] = [...words];
  for (const { name, value } of terms) {
    const word = wordNames.indexOf(name);
    const layout = layouts.get(name);
    if (isWord(word)) encoded[word] = parseNumber(name, value);
    else if (layout) encoded[layout.word] = spread(name, parseNumber(name, value), layout, encoded);
    else throw new Error(`expected one of ${[...layouts.keys(), ...wordNames].join(', ')}, found "${name}"`);
  }
  return encoded;
}

/** A term without a value is a flag. */
function parseNumber(name: string, value = '1'): bigint {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(value)) {
    const number = BigInt(value);
    if (number < 1n << 64n) return number;
  }
  throw new Error(`expected a decimal or hexadecimal number of at most 64 bits, found "${name}=${value}"`);
}

function spread(name: string, value: bigint, { word, ranges }: FieldLayout, words: ConfigWords): bigint {
  let [rest, encoded] = [value, words[word]];
  for (const [first, last] of ranges) {
    const bits = BigInt(last - first + 1);
    const mask = (1n << bits) - 1n;
    encoded = (encoded & ~(mask << BigInt(first))) | ((rest & mask) << BigInt(first));
    rest >>= bits;
  }
  if (rest === 0n) return encoded;
  const most = (1n << BigInt(ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0))) - 1n;
  throw new Error(`expected at most 0x${most.toString(16)}, found "${name}=0x${value.toString(16)}"`);
}

function isWord(index: number): index is 0 | 1 | 2 | 3 {
  return index >= 0 && index <= 3;
}

const eventTerms = new Set(['event', 'umask', 'config']);

/**
 * The `config` of a PMU's event in its sysfs file: `event=0x02`, `event=0x2,umask=0x01`.
 * @param formats the PMU's format files by name: `config:0-7`; missing ones default to those of x86
 * @returns undefined if it is not an event of this PMU: empty, unknown terms, or a number out of range
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

/** A term without a value is a flag. */
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
