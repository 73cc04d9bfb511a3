import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Scalar,
  type Alias,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { nodeOf, type ConfigNode, type MapEntry } from './node.js';
import type { Origin } from './problem.js';

/** Limit of values that all aliases of a file stand for together: otherwise a few lines could stand for billions. */
const maxAliasedValues = 100_000;

/** Options and callbacks of a conversion. */
export interface Conversion {
  placeOf(node: Node | null): Origin;
  /** @param isQuoted whether it is written as a text: in quotes, as a block, or with the tag `!!str` */
  convertText(value: string, isQuoted: boolean, origin: Origin): ConfigNode;
  /** Converts a number, a boolean or null, if its notation matters. */
  convertOther?(scalar: Scalar, origin: Origin): ConfigNode;
  report(message: string, origin: Origin): void;
}

/** With one of these tags (`!!str`, `!`), an unquoted value is a text. */
const textTags: ReadonlySet<string | undefined> = new Set(['tag:yaml.org,2002:str', '!']);

/** Converts the nodes of a document to configuration nodes, with aliases and merge keys replaced according to YAML. */
export function convertYaml(contents: Node | null, conversion: Conversion): ConfigNode {
  return new Converter(conversion).convert(contents);
}

const mergeKey = Symbol('merge key');

/** The target of an anchor; `undefined` while it is still being converted. */
type Anchored = { readonly node: ConfigNode; readonly values: number } | undefined;

class Converter {
  readonly #conversion: Conversion;
  readonly #anchors = new Map<string, Anchored>();
  readonly #reported = new Set<string>();
  readonly #failed = new Set<ConfigNode>();
  #values = 0;
  #aliasedValues = 0;

  constructor(conversion: Conversion) {
    this.#conversion = conversion;
  }

  convert(node: Node | null): ConfigNode {
    const origin = this.#conversion.placeOf(node);
    if (isAlias(node)) return this.#resolve(node, origin);
    const anchor = node !== null && 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const before = this.#values++;
    const converted = this.#convertContent(node, origin);
    if (anchor !== undefined) this.#anchors.set(anchor, { node: converted, values: this.#values - before });
    return converted;
  }

  #convertContent(node: Node | null, origin: Origin): ConfigNode {
    if (isMap<Node, Node | null>(node)) return { kind: 'map', entries: this.#convertMap(node), origin };
    if (isSeq<Node>(node)) {
      return { kind: 'list', items: node.items.map((item) => this.convert(item)), origin };
    }
    if (isScalar(node)) return this.#convertScalar(node, origin);
    if (node === null) return nodeOf(null, origin);
    return this.#refuse(
      'Cannot use a value: expected a map, a list or a single value, found another kind',
      origin,
    );
  }

  #convertScalar(scalar: Scalar, origin: Origin): ConfigNode {
    const { value, type, tag } = scalar;
    if (typeof value === 'string') {
      const isQuoted = type !== Scalar.PLAIN || textTags.has(tag);
      return this.#conversion.convertText(value, isQuoted, origin);
    }
    // For example bytes, which no setting is.
    if (typeof value === 'object' && value !== null) {
      return this.#conversion.convertText(scalar.source ?? '', true, origin);
    }
    return this.#conversion.convertOther?.(scalar, origin) ?? nodeOf(value, origin);
  }

  #convertMap(map: YAMLMap<Node, Node | null>): Map<string, MapEntry> {
    const written = new Map<string | typeof mergeKey, MapEntry>();
    for (const pair of map.items) this.#addPair(written, pair);
    const merged = written.get(mergeKey);
    const entries = new Map(
      [...written].flatMap(([key, entry]) => (key === mergeKey ? [] : [[key, entry] as const])),
    );
    if (merged) this.#merge(entries, merged);
    return entries;
  }

  #addPair(entries: Map<string | typeof mergeKey, MapEntry>, pair: Pair<Node, Node | null>): void {
    const origin = this.#conversion.placeOf(pair.key);
    const node = pair.value === null ? nodeOf(null, origin) : this.convert(pair.value);
    const key = this.#readKey(pair, origin);
    if (key === undefined) return;
    const known = entries.get(key);
    if (known === undefined) entries.set(key, { origin, node });
    else {
      const name = key === mergeKey ? '<<' : key;
      this.#refuse(
        `Cannot take "${name}": expected it once, found it at line ${known.origin?.line}, too`,
        origin,
      );
    }
  }

  /** @returns undefined, after a report, if the key is not a text */
  #readKey({ key }: Pair<Node, Node | null>, origin: Origin): string | typeof mergeKey | undefined {
    if (!isScalar(key) && key !== null) {
      this.#refuse('Cannot take a key: expected a text, found a map, a list or an alias', origin);
      return undefined;
    }
    // The library represents a merge key as a symbol, to distinguish it from a quoted text.
    if (typeof key?.value === 'symbol') return mergeKey;
    return typeof key?.value === 'string' ? key.value : (key?.source ?? 'null');
  }

  /** Keys of the map itself override merged ones, and of a list of maps the first wins. */
  #merge(entries: Map<string, MapEntry>, { node, origin = { source: '' } }: MapEntry): void {
    for (const source of node.kind === 'list' ? node.items : [node]) {
      if (this.#failed.has(source)) continue;
      if (source.kind !== 'map') {
        this.#refuse('Cannot merge at "<<": expected a map or a list of maps, found something else', origin);
        continue;
      }
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }

  #resolve({ source }: Alias, origin: Origin): ConfigNode {
    const anchored = this.#anchors.get(source);
    if (!anchored) {
      const found = this.#anchors.has(source) ? 'the alias inside that value' : 'none';
      const expected = `expected its anchor at an earlier value of this file, found ${found}`;
      const message = `Cannot resolve an alias: ${expected}; quote a text that begins with "*"`;
      return this.#refuse(message, origin, `*${source}`);
    }
    this.#values += anchored.values;
    this.#aliasedValues += anchored.values;
    if (this.#aliasedValues <= maxAliasedValues) return anchored.node;
    const message = `Cannot resolve aliases: expected at most ${maxAliasedValues} values by aliases, found more`;
    return this.#refuse(message, origin, message);
  }

  /** @param key reported once, at its first position; by default at every position */
  #refuse(message: string, origin: Origin, key = `${message} ${origin.line}:${origin.column}`): ConfigNode {
    if (!this.#reported.has(key)) this.#conversion.report(message, origin);
    this.#reported.add(key);
    const failed = nodeOf(null, origin);
    this.#failed.add(failed);
    return failed;
  }
}
