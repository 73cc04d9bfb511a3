import type { Factories } from '../component/component.js';
import type { FactoryFinder } from '../component/find.js';
import type { ComponentKind } from '../component/kinds.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError } from '../errors.js';
import { suggest } from '../nearest.js';
import { describeMismatch } from './formats.js';
import { findEntry, type ConfigNode, type MapEntry } from './node.js';
import type { Origin, Problem } from './problem.js';
import { receiverKeys, type ReceiverKeys } from './service-schema.js';
import { validateSettings } from './settings.js';

/** A component's key in the configuration: its type, and a name if there are several of one type. */
export interface ComponentId {
  /** As written, without spaces around the parts: `rapl` or `rapl/second`. */
  readonly id: string;
  readonly type: string;
}

const typePattern = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/u;
const namePattern = /^[^\p{Z}\p{C}\p{S}]{1,1024}$/u;

/** @throws Error naming the problem */
export function parseComponentId(text: string): ComponentId {
  const slash = text.indexOf('/');
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  const name = slash < 0 ? undefined : text.slice(slash + 1).trim();
  if (!typePattern.test(type)) {
    throw new Error(
      `expected a component type of letters, digits and underscores after a first letter, found "${type}"`,
    );
  }
  if (name !== undefined && !namePattern.test(name)) {
    throw new Error(
      `expected a component name of 1 to 1024 characters without spaces and symbols, found "${name}"`,
    );
  }
  return { id: name === undefined ? type : `${type}/${name}`, type };
}

/** Removes spaces around the parts of an id, even an invalid one, so that `rapl / second` is found as `rapl/second`. */
export function normalizeId(text: string): string {
  const slash = text.indexOf('/');
  return slash < 0 ? text.trim() : `${text.slice(0, slash).trim()}/${text.slice(slash + 1).trim()}`;
}

/** One configured component. */
export interface ComponentConfig<Kind extends ComponentKind = ComponentKind> extends ComponentId {
  readonly kind: Kind;
  readonly factory: Factories[Kind];
  /** The settings of the factory's schema. */
  readonly settings: ConfigOf<Schema>;
  /** Settings of a receiver for the engine; defaults for other kinds. */
  readonly keys: ReceiverKeys;
  readonly origin: Origin | undefined;
}

/** The components of one kind by id. */
export type ComponentConfigs<Kind extends ComponentKind> = ReadonlyMap<string, ComponentConfig<Kind>>;

/**
 * Finds the components of one kind that a configuration names and validates their settings.
 * @param root the whole configuration
 * @param problems receives all problems
 */
export async function validateComponents<Kind extends ComponentKind>(
  kind: Kind,
  root: ConfigNode,
  finder: FactoryFinder,
  problems: Problem[],
): Promise<ComponentConfigs<Kind>> {
  const section = findEntry(root, `${kind}s`)?.node;
  if (section === undefined || (section.kind === 'scalar' && section.value === null)) return new Map();
  if (section.kind !== 'map') {
    const message = describeMismatch(`a map of ${kind}s`, section);
    problems.push({ origin: section.origin, path: `${kind}s`, message });
    return new Map();
  }
  const found = new Map<string, ComponentConfig<Kind>>();
  for (const [key, entry] of section.entries) {
    try {
      const component = await validateComponent({ kind, key, entry }, finder, problems);
      if (component && found.has(component.id))
        throw new Error(`expected each component once, found "${component.id}" twice`);
      if (component) found.set(component.id, component);
    } catch (error) {
      problems.push({ origin: entry.origin, path: `${kind}s.${key}`, message: describeError(error) });
    }
  }
  return found;
}

interface Written<Kind extends ComponentKind> {
  readonly kind: Kind;
  readonly key: string;
  readonly entry: MapEntry;
}

async function validateComponent<Kind extends ComponentKind>(
  { kind, key, entry }: Written<Kind>,
  finder: FactoryFinder,
  problems: Problem[],
): Promise<ComponentConfig<Kind> | undefined> {
  const path = `${kind}s.${key}`;
  const { id, type } = parseComponentId(key);
  const factory = await finder.find(kind, type);
  if (!factory) {
    problems.push({ origin: entry.origin, path, message: describeUnknown(kind, type, finder) });
    return undefined;
  }
  const before = problems.length;
  const schema: Schema = kind === 'receiver' ? { ...factory.schema, ...receiverKeys } : factory.schema;
  const validated = validateSettings(schema, entry.node, path, problems);
  if (problems.length > before) {
    const found = problems.splice(before);
    problems.push(...found.map((problem) => addReplacement(problem, path, factory.replacedSettings)));
    return undefined;
  }
  const { keys, settings } = splitKeys(kind, validated);
  for (const message of factory.check?.(settings) ?? []) {
    problems.push({ origin: entry.origin, path, message });
  }
  return { id, type, kind, factory, settings, keys, origin: entry.origin };
}

/** Describes what to write instead of a setting, or a choice, of the Collector that does not exist here. */
function addReplacement(
  problem: Problem,
  componentPath: string,
  replaced: Readonly<Record<string, string>> = {},
): Problem {
  const path = problem.path.slice(componentPath.length + 1).replaceAll(/\[\d+\]/gu, '[]');
  const { message } = problem;
  if (message.startsWith('unknown setting')) {
    return Object.hasOwn(replaced, path)
      ? { ...problem, message: `unknown setting; ${replaced[path]}` }
      : problem;
  }
  const [expected = '', choice] =
    /^(expected one of .*, found the text "([^"]*)")/u.exec(message)?.slice(1) ?? [];
  const remedy = `${path}=${choice}`;
  return Object.hasOwn(replaced, remedy)
    ? { ...problem, message: `${expected}; ${replaced[remedy]}` }
    : problem;
}

/** The remedy: a replacement, or else the nearest name and where the type was searched. */
function describeUnknown(kind: ComponentKind, type: string, finder: FactoryFinder): string {
  const unknown = `unknown ${kind} type "${type}"`;
  const replacement = finder.findReplacement(kind, type);
  if (replacement !== undefined) return `${unknown}; ${replacement}`;
  return `${unknown}${suggest(type, finder.list(kind))} (${finder.describeSearch(kind, type)})`;
}

function splitKeys(kind: ComponentKind, validated: ConfigOf<Schema>) {
  const standard: ReceiverKeys = { start: 'required', fallback_for: [] };
  if (kind !== 'receiver') return { keys: standard, settings: validated };
  const { start, fallback_for, ...settings } = validated;
  // validateSettings created both from receiverKeys, which has these types.
  const keys = { start, fallback_for } as ReceiverKeys;
  return { keys: { ...keys, fallback_for: keys.fallback_for.map(normalizeId) }, settings };
}
