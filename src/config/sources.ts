import { describeReadError, readRegularText } from '../linux/regular-file.js';
import { mergeNodes, nodeOf, type ConfigNode } from './node.js';
import { ConfigurationError, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import type { SubstitutionContext } from './substitute.js';

/** The sources of the configuration, in order: later ones override earlier ones. */
export interface ConfigSources {
  /** Paths of YAML files. */
  readonly files: readonly string[];
  /** `a.b.c=value` each; they override all files. */
  readonly settings: readonly string[];
  readonly context: SubstitutionContext;
}

/** Maximum size of a configuration file. */
export const maxConfigBytes = 1024 * 1024;

/**
 * Reads and merges all sources.
 * @throws ConfigurationError with every unreadable file and every invalid line
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
  // As in the Collector, "::" also separates keys, for keys that contain a dot.
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
