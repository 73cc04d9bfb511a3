import { Composer, LineCounter, Parser, type CST, type Document, type ParsedNode } from 'yaml';

/** Maximum nesting of maps and lists. */
const deepestLevel = 100;

/** A document, or the error in its text. */
export interface ParsedYaml {
  readonly contents: ParsedNode | null;
  /** Only the first error: the others usually follow from it. It does not quote the text, which may be a secret. */
  readonly error: { readonly message: string; readonly offset: number } | undefined;
  readonly lines: LineCounter;
}

const options = {
  prettyErrors: false,
  merge: true,
  // Otherwise a %YAML 1.1 directive would convert texts to dates and other objects.
  schema: 'core',
  // The library's check for equal keys takes quadratic time; convertYaml finds them instead.
  uniqueKeys: false,
} as const;

/** Parses a text with one YAML document. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const { unclosed, tooDeep, quotes } = scan(tokens);
  if (tooDeep) return { contents: null, error: unclosed ?? tooDeep, lines };
  const [first, second] = new Composer(options).compose(tokens, true, text.length);
  if (first === undefined) throw new Error('Cannot parse YAML: expected a document, found none');
  const error =
    findQuoteError(first, quotes, text) ??
    findBareReference(first, text) ??
    findFirstError(first, unclosed) ??
    (second && describeSecond(second));
  return { contents: error ? null : first.contents, error, lines };
}

/** Between brackets, the `{` of `${env:NAME}` begins a map. */
function findBareReference(document: Document.Parsed, text: string): YamlError | undefined {
  const first = firstOf(document);
  const offset = (first?.pos[0] ?? 0) - 1;
  if (offset < 0 || !text.startsWith('${', offset)) return undefined;
  return { message: 'expected quotes around this reference between brackets, found none', offset };
}

type YamlError = NonNullable<ParsedYaml['error']>;

/** What the tokens show before the document is composed. */
interface Scan {
  readonly unclosed?: YamlError | undefined;
  readonly tooDeep?: YamlError;
  /** The quoted texts, in file order. */
  readonly quotes: readonly CST.FlowScalar[];
}

/**
 * Finds nesting that is too deep: composing and converting a document are recursive, and with a small stack V8
 * may end the whole process instead of throwing. Finds the first bracket that is not closed, too: the library
 * reports it at the end of the file, or as another error.
 */
function scan(tokens: readonly CST.Token[]): Scan {
  let unclosed: YamlError | undefined;
  const quotes: CST.FlowScalar[] = [];
  const waiting = tokens.map((token) => ({ token, level: 0 })).toReversed();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { token, level } = next;
    unclosed ??= findUnclosed(token);
    if (token.type === 'double-quoted-scalar' || token.type === 'single-quoted-scalar') quotes.push(token);
    if (level > deepestLevel) {
      const message = `expected at most ${deepestLevel} levels, found more`;
      return { unclosed, quotes, tooDeep: { message, offset: token.offset } };
    }
    for (const inner of listInner(token).toReversed()) waiting.push({ token: inner, level: level + 1 });
  }
  return { unclosed, quotes };
}

/**
 * Finds an unclosed quote where it opens: the library reports it at the end of the file, or after the next
 * quote, which closed it lines later and turned what follows into an error.
 */
function findQuoteError(
  document: Document.Parsed,
  quotes: readonly CST.FlowScalar[],
  text: string,
): YamlError | undefined {
  const first = firstOf(document);
  if (!first) return undefined;
  const [at] = first.pos;
  const before = quotes.findLast(({ offset, source }) => offset + source.length <= at);
  if (!before) return undefined;
  const { offset, source } = before;
  const [quote = ''] = source;
  const expected = `expected the closing ${quote} of this quote`;
  if (
    first.code === 'MISSING_CHAR' &&
    offset + source.length === at &&
    /^Missing closing ['"]/u.test(first.message)
  )
    return { message: `${expected}, found none`, offset };
  const line = source.indexOf('\n');
  const isNext = text.slice(offset + source.length, at).trim() === '';
  return line >= 0 && isNext
    ? { message: `${expected} on its line, found it on a later one`, offset }
    : undefined;
}

function firstOf({ errors }: Document.Parsed): Document.Parsed['errors'][number] | undefined {
  return errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
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

function findFirstError(document: Document.Parsed, unclosed: YamlError | undefined): YamlError | undefined {
  const first = firstOf(document);
  if (!first) return unclosed;
  const [offset] = first.pos;
  if (unclosed && unclosed.offset < offset) return unclosed;
  const [line = ''] = first.message.split('\n');
  return { message: line.replace(/: ".*$|: !.*$/su, ''), offset };
}

function describeSecond({ range }: Document.Parsed): YamlError {
  return { message: 'expected one document, found "---" and a second one', offset: range[0] };
}
