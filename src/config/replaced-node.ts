import type { Scalar } from 'yaml';
import { nodeOf, type ConfigNode, type Replacement } from './node.js';
import { parseYaml } from './parse-yaml.js';
import type { Origin } from './problem.js';
import { convertYaml } from './yaml-nodes.js';

/**
 * The value that one reference stands for. Without quotes it is read as YAML, as in the Collector, so that numbers are
 * numbers and lists are lists; in quotes it is a text, which counts as a number or a truth value only where a setting
 * is one. Either way the text stays known and is what settings get that are texts.
 */
export function nodeOfReplaced(replaced: Replacement, isQuoted: boolean, origin: Origin): ConfigNode {
  const verbatim: ConfigNode = { kind: 'scalar', value: replaced.text, origin, replaced };
  const parsed = parseReplaced(replaced, origin);
  if (!isQuoted)
    return parsed?.kind === 'scalar' && keepsText(parsed.value) ? verbatim : (parsed ?? verbatim);
  const typed = parsed?.kind === 'scalar' ? parsed.value : null;
  return typeof typed === 'number' || typeof typed === 'boolean' ? { ...verbatim, typed } : verbatim;
}

/** A text that YAML would cut, unquote or unescape, or a whole number that would lose digits. */
function keepsText(value: unknown): boolean {
  return typeof value === 'string' || (Number.isInteger(value) && !Number.isSafeInteger(value));
}

/** @returns undefined where the text is not YAML; then it is only a text */
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
