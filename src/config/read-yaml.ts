import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair } from 'yaml';
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
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  for (const error of document.errors) {
    problems.push({
      origin: originAt(reading, error.pos[0]),
      path: '',
      message: `Cannot parse YAML: ${error.message}`,
    });
  }
  return document.errors.length > 0 ? nodeOf(null) : convertNode(document.contents, reading);
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
  if (isMap<Node, Node | null>(node)) {
    return { kind: 'map', entries: new Map(node.items.map((pair) => convertPair(pair, reading))), origin };
  }
  if (isSeq<Node>(node)) {
    return { kind: 'list', items: node.items.map((item) => convertNode(item, reading)), origin };
  }
  if (isScalar(node)) return convertScalar(node.value, origin, reading);
  if (node !== null) {
    reading.problems.push({ origin, path: '', message: 'Cannot use a YAML alias: write the value itself' });
  }
  return nodeOf(null, origin);
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
