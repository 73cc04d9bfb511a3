import { describeError } from '../errors.js';
import { suggest } from '../nearest.js';
import { normalizeId, parseComponentId, type ComponentConfigs } from './components.js';
import { describeMismatch } from './formats.js';
import { findEntry, type ConfigNode, type MapEntry } from './node.js';
import type { Origin, Problem } from './problem.js';
import { pipelineSchema } from './service-schema.js';
import { validateSettings } from './settings.js';

/** One pipeline: ids of configured components. */
export interface PipelineConfig {
  /** `metrics` or `metrics/name`. */
  readonly id: string;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

/** The ids that pipelines may use, by the key they are used under. */
export type KnownIds = Readonly<Record<keyof typeof pipelineSchema, IdSet>>;

interface IdSet {
  has(id: string): boolean;
  keys(): Iterable<string>;
}

/**
 * The pipelines below `service.pipelines`, with every reference checked.
 * @param service the node of `service`
 * @param problems receives all problems
 */
export function validatePipelines(
  service: ConfigNode | undefined,
  known: KnownIds,
  problems: Problem[],
): readonly PipelineConfig[] {
  const path = 'service.pipelines';
  // Anything but a map is reported with the other settings of the service.
  if (service && service.kind !== 'map' && !isNothing(service)) return [];
  const section = findEntry(service, 'pipelines')?.node;
  if (section?.kind !== 'map' || section.entries.size === 0) {
    const found =
      section && section.kind !== 'map' ? `: ${describeMismatch('a map of pipelines', section)}` : '';
    problems.push({
      origin: section?.origin ?? service?.origin,
      path,
      message: `must have at least one pipeline${found}`,
    });
    return [];
  }
  return [...section.entries].map(([key, entry]) => validatePipeline(key, entry, known, problems));
}

function isNothing(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function validatePipeline(
  key: string,
  entry: MapEntry,
  known: KnownIds,
  problems: Problem[],
): PipelineConfig {
  const path = `service.pipelines.${key}`;
  const report = (message: string, below = '') =>
    problems.push({ origin: entry.origin, path: path + below, message });
  try {
    const { type } = parseComponentId(key);
    if (type !== 'metrics') report(`unknown signal "${type}", this collector has metrics pipelines only`);
  } catch (error) {
    report(describeError(error));
  }
  const before = problems.length;
  const written = validateSettings(pipelineSchema, entry.node, path, problems);
  if (problems.length > before) return { id: key, receivers: [], processors: [], exporters: [] };
  const pipeline = {
    id: key,
    receivers: written.receivers.map(normalizeId),
    processors: written.processors.map(normalizeId),
    exporters: written.exporters.map(normalizeId),
  };
  if (pipeline.receivers.length === 0) report('must have at least one receiver');
  if (pipeline.exporters.length === 0) report('must have at least one exporter');
  for (const role of ['receivers', 'processors', 'exporters'] as const) {
    const list = findEntry(entry.node, role)?.node;
    const references = { path: `${path}.${role}`, kind: role.slice(0, -1), list };
    problems.push(...validateReferences(references, pipeline[role], known[role]));
  }
  return pipeline;
}

/** A list of ids of one kind. */
interface References {
  readonly path: string;
  readonly kind: string;
  /** The list as written. */
  readonly list: ConfigNode | undefined;
}

/** Validates a list of ids: reports unknown and duplicate ids, each at its position. */
export function validateReferences(
  { path, kind, list }: References,
  ids: readonly string[],
  known: IdSet,
): readonly Problem[] {
  const seen = new Set<string>();
  return ids.flatMap((id, i) => {
    const origin = list?.kind === 'list' ? list.items[i]?.origin : list?.origin;
    const about = `references ${kind} "${id}"`;
    const hint = () => suggest(id, known.keys());
    if (!known.has(id)) return { origin, path, message: `${about} which is not configured${hint()}` };
    if (seen.has(id)) return { origin, path, message: `${about} more than once` };
    seen.add(id);
    return [];
  });
}

/** The components in pipelines. */
export interface PipelineComponents {
  readonly receivers: ComponentConfigs<'receiver'>;
  readonly processors: ComponentConfigs<'processor'>;
}

/**
 * Finds processors that would do nothing, because no component before them publishes their inputs.
 * @param service the node of `service`, for positions
 */
export function findUnmetNeeds(
  pipelines: readonly PipelineConfig[],
  components: PipelineComponents,
  service: ConfigNode | undefined,
): readonly Problem[] {
  return pipelines.flatMap((pipeline) =>
    pipeline.processors.flatMap((id, at) => {
      const published = listPublished(pipeline, at, components);
      const needs = components.processors.get(id)?.factory.needs ?? [];
      const unmet = needs.filter(({ metrics }) => published && !metrics.some((name) => published.has(name)));
      return unmet.map(({ what, from, metrics }) => ({
        origin: findPlace(service, pipeline.id, at),
        path: `service.pipelines.${pipeline.id}.processors`,
        message: `"${id}" gets no ${what}: expected a receiver of ${metrics.join(' or ')} in this pipeline, such as ${from}, found ${pipeline.receivers.join(', ')}`,
      }));
    }),
  );
}

/** The names of the metrics that reach a processor; undefined if a receiver may publish any, such as `replay`. */
function listPublished(
  { receivers, processors }: PipelineConfig,
  before: number,
  components: PipelineComponents,
): ReadonlySet<string> | undefined {
  const factories = receivers.map((id) => components.receivers.get(id)?.factory);
  if (factories.some((factory) => factory === undefined || factory.metrics.length === 0)) return undefined;
  const earlier = processors.slice(0, before).flatMap((id) => components.processors.get(id) ?? []);
  const named = earlier.flatMap(({ factory, settings }) => factory.namedMetrics?.(settings) ?? []);
  const all = [...factories, ...earlier.map(({ factory }) => factory)];
  const metrics = all.flatMap((factory) => factory?.metrics ?? []);
  return new Set([...metrics.map(({ name }) => name), ...named]);
}

function findPlace(service: ConfigNode | undefined, pipeline: string, at: number): Origin | undefined {
  const entry = findEntry(findEntry(findEntry(service, 'pipelines')?.node, pipeline)?.node, 'processors');
  return (entry?.node.kind === 'list' ? entry.node.items[at]?.origin : undefined) ?? entry?.origin;
}
