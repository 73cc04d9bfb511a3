import type { Scalar } from 'yaml';
import { describeError } from '../errors.js';
import { nodeOf, type ConfigNode, type Replacement } from './node.js';
import { parseYaml } from './parse-yaml.js';
import type { Origin, Problem } from './problem.js';
import { substitute, type SubstitutionContext } from './substitute.js';
import { convertYaml } from './yaml-nodes.js';

/**
 * Parses one YAML file, with its references (`${env:NAME}`), aliases and merge keys replaced.
 * @param problems receives all problems; of invalid YAML only the first error, since the others usually follow
 * from it
 */
export function parseConfigText(
  text: string,
  source: string,
  context: SubstitutionContext,
  problems: Problem[],
): ConfigNode {
  // A byte order mark takes no column in an editor.
  const { contents, error, lines } = parseYaml(text.replace(/^\uFEFF/u, ''));
  const originAt = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return { source, line, column: col };
  };
  const report = (message: string, origin: Origin) => problems.push({ origin, path: '', message });
  if (error) report(`Cannot parse YAML: ${error.message}`, originAt(error.offset));
  return convertYaml(contents, {
    placeOf: (node) => (node?.range ? originAt(node.range[0]) : { source }),
    convertText: (value, isQuoted, origin) => {
      try {
        return convertText(value, isQuoted, { origin, context });
      } catch (failure) {
        report(describeError(failure), origin);
        return nodeOf(null, origin);
      }
    },
    report,
  });
}

function convertText(
  value: string,
  isQuoted: boolean,
  { origin, context }: { readonly origin: Origin; readonly context: SubstitutionContext },
): ConfigNode {
  const { isWhole, ...replaced } = substitute(value, context);
  if (replaced.references.length === 0) return nodeOf(replaced.text, origin);
  if (!isWhole) return { kind: 'scalar', value: replaced.text, origin, replaced };
  return nodeOfReplaced(replaced, isQuoted, origin);
}

/**
 * The value of one reference. Unquoted it is read as YAML, as in the Collector, so that numbers are numbers and
 * lists are lists; quoted it is a text, which is used as a number or a boolean only if a setting is one. In
 * both cases the text is kept, for settings that are texts.
 */
function nodeOfReplaced(replaced: Replacement, isQuoted: boolean, origin: Origin): ConfigNode {
  const verbatim: ConfigNode = { kind: 'scalar', value: replaced.text, origin, replaced };
  const parsed = parseReplaced(replaced, origin);
  if (!isQuoted)
    return parsed?.kind === 'scalar' && keepsText(parsed.value) ? verbatim : (parsed ?? verbatim);
  const typed = parsed?.kind === 'scalar' ? parsed.value : null;
  return typeof typed === 'number' || typeof typed === 'boolean' ? { ...verbatim, typed } : verbatim;
}

/** A text that YAML would shorten, unquote or unescape, or a whole number that would lose digits. */
function keepsText(value: unknown): boolean {
  return typeof value === 'string' || (Number.isInteger(value) && !Number.isSafeInteger(value));
}

/** @returns undefined if the text is not YAML; then it is only a text */
function parseReplaced(replaced: Replacement, origin: Origin): ConfigNode | undefined {
  let isRight = true;
  const mark = (value: unknown, text: string): ConfigNode => ({
    ...nodeOf(value, origin),
    replaced: { ...replaced, text },
  });
  const { contents, error } = parseYaml(replaced.text);
  if (error) return undefined;
  const node = convertYaml(contents, {
    placeOf: () => origin,
    convertText: (value) => mark(value, value),
    convertOther: (scalar: Scalar) => mark(scalar.value, scalar.source ?? ''),
    report: () => (isRight = false),
  });
  return isRight ? { ...node, replaced } : undefined;
}
