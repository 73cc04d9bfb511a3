import { describeError } from '../errors.js';
import { nodeOf, type ConfigNode } from './node.js';
import { parseYaml } from './parse-yaml.js';
import type { Origin, Problem } from './problem.js';
import { nodeOfReplaced } from './replaced-node.js';
import { substitute, type Surroundings } from './substitute.js';
import { convertYaml } from './yaml-nodes.js';

/**
 * Understands one YAML file, with its references (`${env:NAME}`), aliases and merge keys replaced.
 * @param problems receives what is wrong: of YAML that cannot be parsed the first error only, since the others
 * usually follow from it
 */
export function parseConfigText(
  text: string,
  source: string,
  surroundings: Surroundings,
  problems: Problem[],
): ConfigNode {
  const { contents, error, lines } = parseYaml(text);
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
        return convertText(value, isQuoted, { origin, surroundings });
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
  { origin, surroundings }: { readonly origin: Origin; readonly surroundings: Surroundings },
): ConfigNode {
  const { isWhole, ...replaced } = substitute(value, surroundings);
  if (replaced.references.length === 0) return nodeOf(replaced.text, origin);
  if (!isWhole) return { kind: 'scalar', value: replaced.text, origin, replaced };
  return nodeOfReplaced(replaced, isQuoted, origin);
}
