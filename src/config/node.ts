import type { Origin } from './problem.js';

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly origin: Origin | undefined;
}

export interface MapEntry {
  /** Where the key was written. */
  readonly origin: Origin | undefined;
  readonly node: ConfigNode;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly origin: Origin | undefined;
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** The text that `${...}` gave, when it became a number or truth value but text may be what is wanted. */
  readonly text?: string;
  readonly origin: Origin | undefined;
}

/** A piece of configuration that remembers where it was written. */
export type ConfigNode = MapNode | ListNode | ScalarNode;

/** The node of a plain value: a map, a list, a text, a number, a truth value or null. */
export function nodeOf(value: unknown, origin?: Origin): ConfigNode {
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item: unknown) => nodeOf(item, origin)), origin };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]): [string, MapEntry] => [
      key,
      { origin, node: nodeOf(item, origin) },
    ]);
    return { kind: 'map', entries: new Map(entries), origin };
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'scalar', value, origin };
  }
  return { kind: 'scalar', value: null, origin };
}

/** The plain value of a node. */
export function plainOf(node: ConfigNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plainOf);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainOf(entry.node)]));
  }
}

/** Lays `over` over `under` as the Collector does: maps are merged key by key, anything else is replaced. */
export function mergeNodes(under: ConfigNode, over: ConfigNode): ConfigNode {
  if (under.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(under.entries);
  for (const [key, entry] of over.entries) {
    const known = entries.get(key);
    entries.set(key, known ? { ...entry, node: mergeNodes(known.node, entry.node) } : entry);
  }
  return { kind: 'map', entries, origin: over.origin };
}

/** The node at a key of a map; undefined for anything else. */
export function findEntry(node: ConfigNode | undefined, key: string): MapEntry | undefined {
  return node?.kind === 'map' ? node.entries.get(key) : undefined;
}

/** What a node is, for people: `a map`, `the text "x"`, `the number 7`. */
export function describeNode(node: ConfigNode, wantedItem?: 'number'): string {
  if (node.kind === 'map')
    return describeItems(
      'map',
      [...node.entries.values()].map(({ node: item }) => item),
    );
  if (node.kind === 'list') return describeItems('list', node.items, wantedItem);
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return `the text ${JSON.stringify(shorten(node.value))}`;
  return typeof node.value === 'number' ? `the number ${node.value}` : `${node.value}`;
}

/** Names the first item that is no text, or no number where numbers are wanted. */
function describeItems(kind: string, items: readonly ConfigNode[], wanted: string = 'string'): string {
  const isWanted = (item: ConfigNode) => item.kind === 'scalar' && typeof item.value === wanted;
  const odd = items.find((item) => !isWanted(item)) ?? items[0];
  if (odd === undefined) return `a ${kind}`;
  return `a ${kind} with ${odd.kind === 'scalar' ? describeNode(odd) : `a ${odd.kind}`}`;
}

const longestQuote = 80;

/** The beginning of a text that is too long to stand in a message. */
export function shorten(text: string): string {
  return text.length <= longestQuote ? text : `${text.slice(0, longestQuote)}...`;
}
