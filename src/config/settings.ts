import type { ConfigOf, GroupSetting, ListSetting, Schema, Setting } from '../component/schema.js';
import { describeError } from '../errors.js';
import { findNearest, suggest } from '../nearest.js';
import { describeMismatch, formats, parseValue } from './formats.js';
import { nodeOf, type ConfigNode } from './node.js';
import { ConfigurationError, type Problem } from './problem.js';

/** A leaf of a schema, as opposed to a level. */
export function isSetting(part: Schema[string]): part is Setting | ListSetting | GroupSetting {
  return 'default' in part && 'format' in part && 'doc' in part;
}

/** A list of maps, as opposed to a leaf with one value. */
export function isListSetting(setting: Setting | ListSetting | GroupSetting): setting is ListSetting {
  return setting.format === 'list';
}

/** A level that may be absent, as opposed to a leaf or a list. */
export function isGroupSetting(setting: Setting | ListSetting | GroupSetting): setting is GroupSetting {
  return setting.format === 'group';
}

/**
 * The settings of a component, with defaults for those not in the node.
 * @param path dotted path of the node, for messages
 * @param problems receives all problems; the settings are valid only if none was added
 */
export function validateSettings<S extends Schema>(
  schema: S,
  node: ConfigNode,
  path: string,
  problems: Problem[],
): ConfigOf<S> {
  if (node.kind === 'list' || (node.kind === 'scalar' && node.value !== null)) {
    problems.push({ origin: node.origin, path, message: describeMismatch('a map of settings', node) });
  }
  const entries = node.kind === 'map' ? node.entries : new Map<string, never>();
  for (const [key, entry] of entries) {
    if (Object.hasOwn(schema, key)) continue;
    const message = `unknown setting${suggest(key, Object.keys(schema))}`;
    problems.push({ origin: entry.origin, path: join(path, key), message });
  }
  const settings = Object.entries(schema).map(([key, part]) => {
    const below = entries.get(key)?.node;
    return [key, validatePart(part, below, join(path, key), problems)];
  });
  // The mapped type describes what validatePart returns for each key.
  return Object.fromEntries(settings) as ConfigOf<S>;
}

function validatePart(
  part: Schema[string],
  node: ConfigNode | undefined,
  path: string,
  problems: Problem[],
): unknown {
  if (!isSetting(part)) return validateSettings(part, node ?? nodeOf(null), path, problems);
  if (isListSetting(part)) return validateList(part, node, path, problems);
  if (isGroupSetting(part))
    return node ? validateSettings(part.settings, node, path, problems) : part.default;
  const written = node ?? nodeOf(part.default);
  try {
    return validateLeaf(part, written);
  } catch (error) {
    problems.push({
      origin: written.origin,
      path,
      message: describeError(error),
    });
    return undefined;
  }
}

function validateList(setting: ListSetting, node: ConfigNode | undefined, path: string, problems: Problem[]) {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return setting.default;
  if (node.kind !== 'list') {
    problems.push({ origin: node.origin, path, message: describeMismatch('a list', node) });
    return setting.default;
  }
  return node.items.map((item, i) => validateSettings(setting.items, item, `${path}[${i}]`, problems));
}

function validateLeaf(setting: Setting, node: ConfigNode): unknown {
  const empty = typeof setting.format === 'string' ? formats[setting.format].empty : undefined;
  const isEmpty = (node.replaced?.empty.length ?? 0) > 0;
  // Destinations are not guessed.
  if (isEmpty && empty === 'error') throw mismatch(setting, node);
  // As in the Collector, a key without a value counts as absent.
  const isUnset = node.kind === 'scalar' && node.value === null && !(node.replaced && empty);
  if (isUnset && setting.default === null) return null;
  const written = isUnset ? nodeOf(setting.default) : node;
  const value = validateValue(setting, written);
  if (typeof value === 'number') checkRange(setting, value, written);
  return value;
}

function validateValue(setting: Setting, node: ConfigNode): unknown {
  const { format } = setting;
  const { plain } = typeof format === 'string' ? formats[format] : formats.string;
  const value = parseValue(format, plain(node));
  if (value === undefined) throw mismatch(setting, node);
  return value;
}

function wantedOf({ format }: Setting): string {
  return typeof format === 'string' ? formats[format].wanted : `one of ${format.join(', ')}`;
}

function mismatch(setting: Setting, node: ConfigNode, wanted = wantedOf(setting)): Error {
  const { format, sensitive } = setting;
  const wantedItem = typeof format === 'string' ? formats[format].items : undefined;
  const found = describeMismatch(wanted, node, { wantedItem, isSecret: sensitive });
  return new Error(`${found}${suggestChoice(format, node)}`);
}

function suggestChoice(format: Setting['format'], node: ConfigNode): string {
  const text = formats.string.plain(node);
  if (typeof format === 'string' || typeof text !== 'string') return '';
  const nearest = findNearest(text, format);
  return nearest === undefined ? '' : `, did you mean "${nearest}"?`;
}

/** 24 days. Node replaces longer timeouts by 1 ms. */
const longestDurationMs = 576 * 3_600_000;

function isDuration(format: Setting['format']): boolean {
  return format === 'duration' || format === 'milliseconds';
}

function checkRange(setting: Setting, value: number, node: ConfigNode): void {
  const { min, format } = setting;
  const max = setting.max ?? (isDuration(format) ? longestDurationMs : undefined);
  const describe = (typeof format === 'string' && formats[format].describe) || String;
  if (min !== undefined && value < min) throw mismatch(setting, node, `at least ${describe(min)}`);
  if (max !== undefined && value > max) throw mismatch(setting, node, `at most ${describe(max)}`);
}

/** The settings of a plain value: for tests, and for configurations made by the program itself. */
export function parseSettings<S extends Schema>(schema: S, value: unknown): ConfigOf<S> {
  const problems: Problem[] = [];
  const settings = validateSettings(schema, nodeOf(value), '', problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return settings;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
