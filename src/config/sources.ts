import { describeReadError, readRegularText } from '../linux/regular-file.js';
import { mergeNodes, nodeOf, type ConfigNode } from './node.js';
import { ConfigurationError, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import type { SubstitutionContext } from './substitute.js';

/** Where the configuration comes from, in the order in which it is laid one over another. */
export interface ConfigSources {
  /** Paths of YAML files. */
  readonly files: readonly string[];
  /** `a.b.c=value` each, over all files. */
  readonly settings: readonly string[];
  readonly context: SubstitutionContext;
}

/** Largest configuration file. */
export const maxConfigBytes = 1024 * 1024;

/**
 * Reads and merges all sources.
 * @throws ConfigurationError with every file that cannot be read and every line that cannot be understood
 */
export function loadConfig({ files, settings, context }: ConfigSources): ConfigNode {
  const problems: Problem[] = [];
  const nodes = [
    ...files.map((file) => readConfigFile(file, context, problems)),
    ...settings.map((setting) => parseSetOption(setting, context, problems)),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
  return nodes.reduce(mergeNodes, nodeOf({}));
}

function readConfigFile(file: string, context: SubstitutionContext, problems: Problem[]): ConfigNode {
  const path = file.replace(/^file:/u, '');
  const text = readText(path, problems);
  if (text === undefined) return nodeOf({});
  const node = parseConfigText(text, path, context, problems);
  if (node.kind === 'map' || (node.kind === 'scalar' && node.value === null)) return asMap(node);
  problems.push({
    origin: node.origin,
    path: '',
    message: `expected a map at the top, found ${node.kind === 'list' ? 'a list' : 'a single value'}`,
  });
  return nodeOf({});
}

function readText(path: string, problems: Problem[]): string | undefined {
  try {
    return readRegularText(path, maxConfigBytes);
  } catch (error) {
    const message = `Cannot read the configuration "${path}": ${describeReadError(error)}`;
    problems.push({ path: '', message });
    return undefined;
  }
}

function asMap(node: ConfigNode): ConfigNode {
  return node.kind === 'map' ? node : nodeOf({}, node.origin);
}

function parseSetOption(option: string, context: SubstitutionContext, problems: Problem[]): ConfigNode {
  const equals = option.indexOf('=');
  // Without the value, which may be a secret.
  const origin = { source: `--set ${equals < 0 ? option : option.slice(0, equals)}` };
  // As in the Collector, "::" parts the keys, too; it serves keys that hold a dot.
  const name = option.slice(0, equals);
  const keys = name.includes('::') ? name.split('::') : name.split('.');
  if (equals <= 0 || keys.includes('')) {
    problems.push({
      origin,
      path: '',
      message: 'expected a setting such as receivers.rapl.start=auto, found none',
    });
    return nodeOf({});
  }
  const value = parseConfigText(option.slice(equals + 1), origin.source, context, problems);
  const settle = (node: ConfigNode): ConfigNode => ({ ...node, origin });
  return keys.reduceRight<ConfigNode>(
    (node, key) => ({ kind: 'map', entries: new Map([[key, { origin, node }]]), origin }),
    settle(value),
  );
}
