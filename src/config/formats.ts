import type { FormatName, Setting } from '../component/schema.js';
import { parseEndpoint } from './endpoint.js';
import { describeNode, plainOf, type ConfigNode, type Description } from './node.js';

type Scalar = string | number | boolean;

interface Format {
  /** What the user must write: `a duration such as "1s" or "200ms"`. */
  readonly wanted: string;
  /** The written value, without its position; undefined if the format does not accept its kind. */
  plain(node: ConfigNode): unknown;
  /** For text formats: whether an empty reference means an empty text or an error. By default it means the default. */
  readonly empty?: 'text' | 'error';
  /** For a list: the type of its items, if they are not texts. */
  readonly items?: 'number';
  /** Parses a text; undefined if it is invalid. */
  coerce?(text: string): unknown;
  /** Validates the value, after `coerce`. */
  isValid?(value: unknown): boolean;
  /** A number as a user would write it, for messages. */
  describe?(value: number): string;
}

/** Largest first; `u` for micro before its two Unicode characters. */
const nanosecondsPerUnit: ReadonlyMap<string, number> = new Map([
  ['h', 3600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ns', 1],
]);

const bytesPerUnit: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['kB', 1e3],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);

/** Parses a Go duration such as `1m30s`, `200ms` or `0` to milliseconds; undefined if it is invalid. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h))+$/u.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)([a-zµμ]+)/gu)) {
    nanoseconds += Number(number) * (nanosecondsPerUnit.get(unit) ?? NaN);
  }
  return nanoseconds / 1e6;
}

/** Parses a Go duration or a whole number of milliseconds; undefined if it is neither. */
function parseMilliseconds(text: string): number | undefined {
  return /^\d+$/u.test(text) ? Number(text) : parseDuration(text);
}

/** Uses the largest unit that gives a whole number, as in `20us` or `90s`; `1m30s` is not needed here. */
export function describeDuration(ms: number): string {
  const nanoseconds = Math.round(ms * 1e6);
  const [unit, factor] = [...nanosecondsPerUnit].find(([, each]) => nanoseconds % each === 0) ?? ['ns', 1];
  return `${nanoseconds / factor}${unit}`;
}

/** Parses a size such as `64MiB` or `1024` to bytes; undefined if it is invalid. */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([kKMG]i?B|B|)$/u.exec(text) ?? [];
  const factor = bytesPerUnit.get(unit);
  return number === undefined || factor === undefined ? undefined : Math.round(Number(number) * factor);
}

/** The value of a reference is used as text even if YAML would read a number, a map or an error. */
function textOf(node: ConfigNode): string | undefined {
  if (node.replaced) return node.replaced.text;
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

function scalarOf(type: 'number' | 'boolean') {
  return (node: ConfigNode): Scalar | undefined => {
    if (node.kind !== 'scalar') return undefined;
    return [node.value, node.typed].find((value) => typeof value === type) ?? undefined;
  };
}

/** A number or a boolean if written as such; any other value of a reference is a text. */
function attributeValueOf(node: ConfigNode): Scalar | undefined {
  if (node.kind === 'scalar') return node.value ?? undefined;
  return node.replaced?.text;
}

/** Numbers are used as texts, so that `0` and `1024` need no quotes. */
function textOrNumberOf(node: ConfigNode): string | undefined {
  return textOf(node) ?? scalarOf('number')(node)?.toString();
}

function textsOf(nodes: readonly ConfigNode[]): readonly string[] | undefined {
  const texts = nodes.map(textOf).filter((text) => text !== undefined);
  return texts.length === nodes.length ? texts : undefined;
}

function wholeNumbersOf(nodes: readonly ConfigNode[]): readonly unknown[] | undefined {
  const numbers = nodes.map(scalarOf('number')).filter(Number.isSafeInteger);
  return numbers.length === nodes.length ? numbers : undefined;
}

function numbersOf(nodes: readonly ConfigNode[]): readonly unknown[] | undefined {
  const numbers = nodes.map(scalarOf('number')).filter(Number.isFinite);
  return numbers.length === nodes.length ? numbers : undefined;
}

function textMapOf(node: ConfigNode): Record<string, string> | undefined {
  if (node.kind !== 'map') return undefined;
  const keys = [...node.entries.keys()];
  const texts = textsOf([...node.entries.values()].map((entry) => entry.node));
  return texts && Object.fromEntries(texts.map((text, i) => [keys[i], text]));
}

function textListsOf(node: ConfigNode): Record<string, readonly string[]> | undefined {
  if (node.kind !== 'map') return undefined;
  const lists = [...node.entries].map(([key, entry]) => [key, textListOf(entry.node)] as const);
  return lists.every(([, texts]) => texts !== undefined)
    ? Object.fromEntries(lists.map(([key, texts = []]) => [key, texts]))
    : undefined;
}

function textListOf(node: ConfigNode): readonly string[] | undefined {
  return node.kind === 'list' ? textsOf(node.items) : undefined;
}

/** The keys of a group of conditions in the Collector. Only its conditions have an effect: they cannot fail. */
const groupKeys = new Set(['conditions', 'context', 'error_mode']);

function conditionsOf(node: ConfigNode): readonly string[] | undefined {
  if (node.kind !== 'list') return undefined;
  const groups = node.items.map((item) => {
    if (item.kind !== 'map') return textsOf([item]);
    const isGroup = [...item.entries.keys()].every((key) => groupKeys.has(key));
    const conditions = item.entries.get('conditions')?.node;
    return isGroup && conditions ? textListOf(conditions) : undefined;
  });
  return groups.includes(undefined) ? undefined : groups.flatMap((group = []) => group);
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65535;
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/u.test(new URL(value).protocol);
}

/** Whether an attempt succeeds; the caller's message shows the value and what was expected. */
function succeeds(attempt: (value: unknown) => unknown) {
  return (value: unknown): boolean => {
    try {
      attempt(value);
      return true;
    } catch {
      return false;
    }
  };
}

/** All formats by name: what is expected, and how it is parsed. */
export const formats: { readonly [Name in FormatName]: Format } = {
  string: { wanted: 'a text', plain: textOf, empty: 'text' },
  path: { wanted: 'a path', plain: textOf, empty: 'error', isValid: (value) => value !== '' },
  int: { wanted: 'a whole number', plain: scalarOf('number'), isValid: Number.isInteger },
  number: { wanted: 'a number', plain: scalarOf('number'), isValid: Number.isFinite },
  boolean: { wanted: 'true or false', plain: scalarOf('boolean') },
  duration: {
    wanted: 'a duration such as "1s" or "200ms"',
    plain: textOrNumberOf,
    coerce: parseDuration,
    isValid: Number.isFinite,
    describe: describeDuration,
  },
  milliseconds: {
    wanted: 'a duration such as "10s", or whole milliseconds such as 10000',
    plain: textOrNumberOf,
    coerce: parseMilliseconds,
    isValid: Number.isFinite,
    describe: describeDuration,
  },
  byte_size: {
    wanted: 'a size such as "64MiB" or 1024',
    plain: textOrNumberOf,
    coerce: parseByteSize,
    isValid: Number.isFinite,
  },
  port: { wanted: 'a port from 0 to 65535', plain: scalarOf('number'), isValid: isPort },
  endpoint: {
    wanted: 'an address such as "localhost:4317"',
    plain: textOf,
    empty: 'error',
    isValid: succeeds((value) => parseEndpoint(String(value))),
  },
  target: {
    wanted: 'an address such as "localhost:4317" or "https://backend:4317"',
    plain: textOf,
    empty: 'error',
  },
  url: {
    wanted: 'an address that begins with http:// or https://',
    plain: textOf,
    empty: 'error',
    isValid: isHttpUrl,
  },
  regexp: {
    wanted: 'a regular expression',
    plain: textOrNumberOf,
    isValid: succeeds((value) => new RegExp(String(value), 'u')),
  },
  string_list: {
    wanted: 'a list of texts',
    plain: textListOf,
  },
  condition_list: {
    wanted: 'a list of texts, or of groups of them with the key "conditions"',
    plain: conditionsOf,
  },
  int_list: {
    wanted: 'a list of whole numbers',
    items: 'number',
    plain: (node) => (node.kind === 'list' ? wholeNumbersOf(node.items) : undefined),
  },
  number_list: {
    wanted: 'a list of numbers',
    items: 'number',
    plain: (node) => (node.kind === 'list' ? numbersOf(node.items) : undefined),
  },
  string_map: { wanted: 'a map from names to texts', plain: textMapOf },
  string_lists: { wanted: 'a map from names to lists of texts', plain: textListsOf },
  attribute_value: {
    wanted: 'a text, a number or a truth value',
    plain: attributeValueOf,
  },
};

/**
 * Converts a written value to that of a setting; undefined if its format does not allow it.
 * @param plain as returned by the format's `plain`
 */
export function parseValue(format: Setting['format'], plain: unknown): unknown {
  // Lists and maps were validated when they were read.
  if (plain === undefined || typeof plain === 'object') return plain;
  if (typeof format !== 'string') return format.find((choice) => choice === plain);
  const { coerce, isValid = () => true } = formats[format];
  const value = coerce && typeof plain === 'string' ? coerce(plain) : plain;
  return isValid(value) ? value : undefined;
}

/** A setting's value as written, for people; null if the default is used. */
export function plainOfSetting({ format }: Setting, node: ConfigNode): unknown {
  const { plain, empty } = typeof format === 'string' ? formats[format] : formats.string;
  if (node.kind === 'scalar' && node.value === null && !(node.replaced && empty)) return null;
  return plain(node) ?? plainOf(node);
}

/** `expected a text, found the number 7`. */
export function describeMismatch(wanted: string, node: ConfigNode, description?: Description): string {
  return `expected ${wanted}, found ${describeNode(node, description)}`;
}
