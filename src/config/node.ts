import { hideCredentials } from './endpoint.js';
import type { Origin } from './problem.js';

/** The results of `${...}` where a value contains references. */
export interface Replacement {
  /** The whole value, verbatim, which is used where a text is expected. */
  readonly text: string;
  /** The references without their defaults, for messages, as in `${env:TOKEN}`: their values may be secret. */
  readonly references: readonly string[];
  /** Those of them that were empty. */
  readonly empty: readonly string[];
}

interface Placed {
  readonly origin: Origin | undefined;
  /** Set on every value of a reference, and on every part of such a value. */
  readonly replaced?: Replacement;
}

export interface MapNode extends Placed {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  /** Position of the key. */
  readonly origin: Origin | undefined;
  readonly node: ConfigNode;
}

export interface ListNode extends Placed {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
}

export interface ScalarNode extends Placed {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** For a text from a quoted reference: its value where a number or a boolean is expected. */
  readonly typed?: number | boolean;
}

/** A piece of configuration with its position. */
export type ConfigNode = MapNode | ListNode | ScalarNode;

/** The node of a plain value: a map, a list, a text, a number, a boolean or null. */
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

/** Merges `over` into `under` like the Collector: maps are merged key by key, anything else is replaced. */
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

/** Options of a description in messages. */
export interface Description {
  /** The type of a list's items, if they are not texts. */
  readonly wantedItem?: 'number' | undefined;
  /** A secret: only its kind is shown. */
  readonly isSecret?: boolean | undefined;
}

/** Describes a node for people: `a map`, `the text "x"`, `the number 7`, `a text from ${env:TOKEN}`. */
export function describeNode(node: ConfigNode, description: Description = {}): string {
  const { replaced } = node;
  if (replaced && replaced.empty.length > 0) return describeEmpty(replaced.empty);
  if (replaced) return `${describeKind(node)} from ${replaced.references.join(' and ')}`;
  if (node.kind === 'map') {
    const items = [...node.entries.values()].map(({ node: item }) => item);
    return describeItems('map', items, description);
  }
  if (node.kind === 'list') return describeItems('list', node.items, description);
  if (node.value === null || description.isSecret === true) return describeKind(node);
  if (typeof node.value === 'string')
    return `the text ${JSON.stringify(shorten(hideCredentials(node.value)))}`;
  return typeof node.value === 'number' ? `the number ${node.value}` : `${node.value}`;
}

function describeKind(node: ConfigNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  if (node.value === null) return 'nothing';
  return typeof node.value === 'string' ? 'a text' : `a ${typeof node.value}`;
}

function describeEmpty(references: readonly string[]): string {
  const [first = ''] = references;
  const remedy = first.startsWith('${file:')
    ? 'write the value into the file'
    : `set the variable or give a default, as in ${first.slice(0, -1)}:-VALUE}`;
  return `nothing in ${references.join(' and ')}; ${remedy}`;
}

/** Describes the first item that is not a text, or not a whole number if these are expected. */
function describeItems(kind: string, items: readonly ConfigNode[], description: Description): string {
  const { wantedItem = 'string' } = description;
  const isWanted = (item: ConfigNode) =>
    item.kind === 'scalar' &&
    (wantedItem === 'number' ? Number.isSafeInteger(item.value) : typeof item.value === wantedItem);
  const odd = items.find((item) => !isWanted(item)) ?? items[0];
  if (odd === undefined) return `a ${kind}`;
  return `a ${kind} with ${odd.kind === 'scalar' ? describeNode(odd, description) : `a ${odd.kind}`}`;
}

const longestQuote = 80;

/** Cuts a text that is too long for a message. */
export function shorten(text: string): string {
  return text.length <= longestQuote ? text : `${text.slice(0, longestQuote)}...`;
}
