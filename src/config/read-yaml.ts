import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { describeError } from '../component/errors.js';
import { nodeOf, type ConfigNode, type MapEntry } from './node.js';
import type { Origin, Problem } from './problem.js';
import { substitute, type Surroundings } from './substitute.js';

/** What reading one file needs to know and where it reports. */
interface Reading {
  readonly source: string;
  readonly lines: LineCounter;
  readonly surroundings: Surroundings;
  readonly problems: Problem[];
}

/**
 * Understands one YAML file, with its references (`${env:NAME}`) replaced.
 * @param problems receives everything that is wrong
 */
export function parseConfigText(
  text: string,
  source: string,
  surroundings: Surroundings,
  problems: Problem[],
): ConfigNode {
  const lines = new LineCounter();
  const reading = { source, lines, surroundings, problems };
  // The library finds equal keys in a time that grows with their number's square; convertMap finds them, too.
  const options = { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: false };
  const document = parseDocument(text, options);
  for (const error of document.errors) {
    problems.push({
      origin: originAt(reading, error.pos[0]),
      path: '',
      message: `Cannot parse YAML: ${describeYamlError(error)}`,
    });
  }
  return document.errors.length > 0 ? nodeOf(null) : convertNode(document.contents, reading);
}

/** The library speaks of several documents in words for its callers. */
function describeYamlError({ code, message }: YAMLError): string {
  return code === 'MULTIPLE_DOCS' ? 'found "---" and a second document, wanted one' : message;
}

function originAt({ source, lines }: Reading, offset: number): Origin {
  const { line, col } = lines.linePos(offset);
  return { source, line, column: col };
}

function originOf(node: Node | null, reading: Reading): Origin {
  return node?.range ? originAt(reading, node.range[0]) : { source: reading.source };
}

function convertNode(node: Node | null, reading: Reading): ConfigNode {
  const origin = originOf(node, reading);
  if (isMap<Node, Node | null>(node)) return { kind: 'map', entries: convertMap(node, reading), origin };
  if (isSeq<Node>(node)) {
    return { kind: 'list', items: node.items.map((item) => convertNode(item, reading)), origin };
  }
  if (isScalar(node)) return convertScalar(node.value, origin, reading);
  if (node !== null) {
    reading.problems.push({ origin, path: '', message: 'Cannot use a YAML alias: write the value itself' });
  }
  return nodeOf(null, origin);
}

function convertMap(node: YAMLMap<Node, Node | null>, reading: Reading): Map<string, MapEntry> {
  const entries = new Map<string, MapEntry>();
  for (const [key, entry] of node.items.map((pair) => convertPair(pair, reading))) {
    const message = `Cannot take "${key}": it is already written at line ${entries.get(key)?.origin?.line}`;
    if (entries.has(key)) reading.problems.push({ origin: entry.origin, path: '', message });
    else entries.set(key, entry);
  }
  return entries;
}

function convertPair(pair: Pair<Node, Node | null>, reading: Reading): [string, MapEntry] {
  const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
  const origin = originOf(pair.key, reading);
  return [
    key,
    { origin, node: pair.value === null ? nodeOf(null, origin) : convertNode(pair.value, reading) },
  ];
}

function convertScalar(value: unknown, origin: Origin, { surroundings, problems }: Reading): ConfigNode {
  if (typeof value !== 'string') return nodeOf(value, origin);
  try {
    const { text, isWhole } = substitute(value, surroundings);
    return isWhole ? readReplaced(text, origin) : nodeOf(text, origin);
  } catch (error) {
    problems.push({ origin, path: '', message: describeError(error) });
    return nodeOf(null, origin);
  }
}

/** What a reference gave is read as YAML, so that numbers are numbers, but its text stays known. */
function readReplaced(text: string, origin: Origin): ConfigNode {
  const document = parseDocument(text);
  const value: unknown = document.errors.length > 0 ? text : document.toJS();
  const node = nodeOf(value, origin);
  if (node.kind === 'scalar') return { ...node, text };
  return node;
}
