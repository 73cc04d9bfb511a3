import { Composer, LineCounter, Parser, type CST, type Document, type ParsedNode } from 'yaml';

/** Maps and lists inside one another. */
export const deepestLevel = 100;

/** A document, or what is wrong with its text. */
export interface ParsedYaml {
  readonly contents: ParsedNode | null;
  /** The first error only: the others usually follow from it. It quotes nothing of the text, which may be a secret. */
  readonly error: { readonly message: string; readonly offset: number } | undefined;
  readonly lines: LineCounter;
}

const options = {
  prettyErrors: false,
  merge: true,
  // A %YAML 1.1 directive would make dates and other objects of texts.
  schema: 'core',
  // The library finds equal keys in a time that grows with the square of their number; convertYaml finds them.
  uniqueKeys: false,
} as const;

/** Parses a text that holds one YAML document. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const { unclosed, tooDeep } = scan(tokens);
  if (tooDeep) return { contents: null, error: unclosed ?? tooDeep, lines };
  const [first, second] = new Composer(options).compose(tokens, true, text.length);
  if (first === undefined) throw new Error('Cannot parse YAML: the library gave no document');
  const error = findFirstError(first, unclosed) ?? (second && describeSecond(second));
  return { contents: error ? null : first.contents, error, lines };
}

type YamlError = NonNullable<ParsedYaml['error']>;

/**
 * Finds what nests too deep: composing a document and converting it are recursive, and where the stack is short V8 may
 * end the whole process instead of throwing. Finds the first bracket that is not closed, too: the library reports it
 * where the file ends, or as something else.
 */
function scan(tokens: readonly CST.Token[]): { readonly unclosed?: YamlError; readonly tooDeep?: YamlError } {
  let unclosed: YamlError | undefined;
  const waiting = tokens.map((token) => ({ token, level: 0 })).toReversed();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { token, level } = next;
    unclosed ??= findUnclosed(token);
    if (level > deepestLevel) {
      const message = `expected at most ${deepestLevel} levels, found more`;
      return { ...(unclosed && { unclosed }), tooDeep: { message, offset: token.offset } };
    }
    for (const inner of listInner(token).toReversed()) waiting.push({ token: inner, level: level + 1 });
  }
  return unclosed ? { unclosed } : {};
}

function findUnclosed(token: CST.Token): YamlError | undefined {
  if (token.type !== 'flow-collection') return undefined;
  const { start, end, offset } = token;
  if (end.some(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end')) return undefined;
  const closing = start.type === 'flow-map-start' ? '}' : ']';
  return { message: `expected "${closing}" for this "${start.source}", found none`, offset };
}

function listInner(token: CST.Token): readonly CST.Token[] {
  if (token.type === 'document') return token.value ? [token.value] : [];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) =>
    [key, value].filter((part) => part !== undefined && part !== null),
  );
}

function findFirstError({ errors }: Document.Parsed, unclosed: YamlError | undefined): YamlError | undefined {
  const [first] = errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (!first) return unclosed;
  const [offset] = first.pos;
  if (unclosed && unclosed.offset < offset) return unclosed;
  const [line = ''] = first.message.split('\n');
  return { message: line.replace(/: ".*$|: !.*$/su, ''), offset };
}

function describeSecond({ range }: Document.Parsed): YamlError {
  return { message: 'expected one document, found "---" and a second one', offset: range[0] };
}
