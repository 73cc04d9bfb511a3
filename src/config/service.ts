import type { FactoryFinder } from '../component/find.js';
import type { ConfigOf } from '../component/schema.js';
import { suggest } from '../nearest.js';
import { normalizeId, validateComponents, type ComponentConfigs } from './components.js';
import { findEntry, nodeOf, type ConfigNode } from './node.js';
import { findUnmetNeeds, validatePipelines, validateReferences, type PipelineConfig } from './pipelines.js';
import { ConfigurationError, type Origin, type Problem } from './problem.js';
import { findMissingExtensions } from './references.js';
import { findReaderProblems, serviceSchema, type TelemetryConfig } from './service-schema.js';
import { validateSettings } from './settings.js';

/** A validated configuration. */
export interface ServiceConfig {
  readonly receivers: ComponentConfigs<'receiver'>;
  readonly processors: ComponentConfigs<'processor'>;
  readonly exporters: ComponentConfigs<'exporter'>;
  readonly extensions: ComponentConfigs<'extension'>;
  readonly pipelines: readonly PipelineConfig[];
  /** Ids of the extensions to run, in start order. */
  readonly runningExtensions: readonly string[];
  readonly telemetry: TelemetryConfig;
}

const connectorsRemedy =
  '; remove it: list an exporter in several pipelines, each with a processor "filter" for what it exports';

const topKeys = ['receivers', 'processors', 'exporters', 'extensions', 'service'];

/**
 * Finds every component in a configuration and validates every setting.
 * @throws ConfigurationError with all problems
 */
export async function validateService(root: ConfigNode, finder: FactoryFinder): Promise<ServiceConfig> {
  const problems: Problem[] = [];
  refuseUnknownKeys(root, problems);
  const components = {
    receivers: await validateComponents('receiver', root, finder, problems),
    processors: await validateComponents('processor', root, finder, problems),
    exporters: await validateComponents('exporter', root, finder, problems),
    extensions: await validateComponents('extension', root, finder, problems),
  };
  const known = knownIds(root);
  const service = findEntry(root, 'service')?.node;
  const pipelines = validatePipelines(service ?? nodeOf({}, root.origin), known, problems);
  const rest = validateRest(service, problems);
  const extensions = (rest.extensions ?? []).map(normalizeId);
  const references = {
    path: 'service.extensions',
    kind: 'extension',
    list: findEntry(service, 'extensions')?.node,
  };
  problems.push(...validateReferences(references, extensions, known.extensions));
  checkFallbacks(components.receivers, known.receivers, problems);
  for (const { id, factory } of components.exporters.values()) {
    const written = findComponent(root, 'exporters', id);
    problems.push(...findMissingExtensions(factory.schema, written, `exporters.${id}`, extensions));
  }
  // What an invalid component publishes is unknown.
  if (problems.length === 0) problems.push(...findUnmetNeeds(pipelines, components, service));
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { ...components, pipelines, runningExtensions: extensions, telemetry: rest.telemetry };
}

/** The position of a setting of the service, or of its nearest parent. */
function findOrigin(service: ConfigNode | undefined, path: string): Origin | undefined {
  let node = service;
  let origin = service?.origin;
  for (const key of path.match(/[^.[\]]+/gu)?.slice(1) ?? []) {
    const entry = findEntry(node, key);
    node = node?.kind === 'list' ? node.items[Number(key)] : entry?.node;
    origin = entry?.origin ?? node?.origin ?? origin;
  }
  return origin;
}

function validateRest(service: ConfigNode | undefined, problems: Problem[]): ConfigOf<typeof serviceSchema> {
  const found: Problem[] = [];
  const rest = validateSettings(serviceSchema, withoutPipelines(service), 'service', found);
  // Invalid settings are missing, so they cannot be validated together.
  if (found.length === 0) {
    for (const { path, message } of findReaderProblems(rest.telemetry.metrics.readers)) {
      found.push({ origin: findOrigin(service, path), path, message });
    }
  }
  problems.push(...found);
  return rest;
}

function refuseUnknownKeys(root: ConfigNode, problems: Problem[]): void {
  if (root.kind !== 'map') return;
  for (const [key, { origin }] of root.entries) {
    if (topKeys.includes(key)) continue;
    const remedy = key === 'connectors' ? connectorsRemedy : suggest(key, topKeys);
    problems.push({ origin, path: key, message: `unknown section${remedy}` });
  }
}

/** The position of a component; its key may have spaces that its id does not have. */
export function findComponent(root: ConfigNode, section: string, id: string): ConfigNode | undefined {
  const node = findEntry(root, section)?.node;
  const entries = node?.kind === 'map' ? [...node.entries] : [];
  return entries.find(([key]) => normalizeId(key) === id)?.[1].node;
}

/** Components with invalid settings count as known: one mistake, one message. */
function knownIds(root: ConfigNode) {
  const idsOf = (section: string): ReadonlySet<string> => {
    const node = findEntry(root, section)?.node;
    return new Set(node?.kind === 'map' ? [...node.entries.keys()].map(normalizeId) : []);
  };
  return {
    receivers: idsOf('receivers'),
    processors: idsOf('processors'),
    exporters: idsOf('exporters'),
    extensions: idsOf('extensions'),
  };
}

function withoutPipelines(service: ConfigNode | undefined): ConfigNode {
  if (service?.kind !== 'map') return service ?? nodeOf(null);
  return { ...service, entries: new Map([...service.entries].filter(([key]) => key !== 'pipelines')) };
}

function checkFallbacks(
  receivers: ComponentConfigs<'receiver'>,
  known: ReadonlySet<string>,
  problems: Problem[],
): void {
  for (const { id, keys, origin } of receivers.values()) {
    for (const other of keys.fallback_for) {
      if (known.has(other) && other !== id) continue;
      const reason = other === id ? 'itself' : `receiver "${other}" which is not configured`;
      problems.push({ origin, path: `receivers.${id}.fallback_for`, message: `references ${reason}` });
    }
  }
}
