import type { ConfigOf, Schema } from '../component/schema.js';
import { suggest } from '../nearest.js';
import { normalizeId } from './components.js';
import { findEntry, type ConfigNode } from './node.js';
import type { Problem } from './problem.js';
import { isSetting } from './settings.js';

/**
 * Finds settings that name an extension that is not running.
 * @param path of the node, for messages
 * @param running ids of the extensions that the service runs
 */
export function findMissingExtensions(
  schema: Schema,
  node: ConfigNode | undefined,
  path: string,
  running: readonly string[],
): readonly Problem[] {
  return Object.entries(schema).flatMap(([key, part]): readonly Problem[] => {
    const entry = findEntry(node, key);
    const below = `${path}.${key}`;
    if (!isSetting(part)) return findMissingExtensions(part, entry?.node, below, running);
    if (!('references' in part) || entry?.node.kind !== 'scalar') return [];
    const { value } = entry.node;
    if (typeof value !== 'string' || running.includes(normalizeId(value))) return [];
    const message = `expected an extension that service.extensions names, found "${value}"${suggest(value, running)}`;
    return [{ origin: entry.origin, path: below, message }];
  });
}

/** Ids of the extensions that the settings of a component name. */
export function listReferences(schema: Schema, settings: ConfigOf<Schema>): readonly string[] {
  return Object.entries(schema).flatMap(([key, part]): readonly string[] => {
    const value = settings[key];
    // Settings have the structure of their schema.
    if (!isSetting(part)) return listReferences(part, value as ConfigOf<Schema>);
    return 'references' in part && typeof value === 'string' ? [normalizeId(value)] : [];
  });
}
