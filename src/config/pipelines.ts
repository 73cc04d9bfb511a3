import { describeError } from '../component/errors.js';
import { parseComponentId } from './component-id.js';
import { describeMismatch } from './formats.js';
import { suggest } from './nearest.js';
import { findEntry, type ConfigNode, type MapEntry } from './node.js';
import type { Problem } from './problem.js';
import { pipelineSchema } from './service-schema.js';
import { judgeSettings } from './settings.js';

/** One pipeline: ids of configured components. */
export interface PipelineConfig {
  /** `metrics` or `metrics/name`. */
  readonly id: string;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

/** The ids that pipelines may name, by the key they are named under. */
export type KnownIds = Readonly<
  Record<keyof typeof pipelineSchema, { has(id: string): boolean; keys(): Iterable<string> }>
>;

/**
 * The pipelines below `service.pipelines`, with every reference checked.
 * @param service the node of `service`
 * @param problems receives everything that is wrong
 */
export function judgePipelines(
  service: ConfigNode | undefined,
  known: KnownIds,
  problems: Problem[],
): readonly PipelineConfig[] {
  const path = 'service.pipelines';
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
  return [...section.entries].map(([key, entry]) => judgePipeline(key, entry, known, problems));
}

function judgePipeline(key: string, entry: MapEntry, known: KnownIds, problems: Problem[]): PipelineConfig {
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
  const pipeline = { id: key, ...judgeSettings(pipelineSchema, entry.node, path, problems) };
  if (problems.length > before) return { ...pipeline, receivers: [], processors: [], exporters: [] };
  if (pipeline.receivers.length === 0) report('must have at least one receiver');
  if (pipeline.exporters.length === 0) report('must have at least one exporter');
  for (const role of ['receivers', 'processors', 'exporters'] as const) {
    for (const message of describeReferences(role, pipeline[role], known)) report(message, `.${role}`);
  }
  return pipeline;
}

function describeReferences(
  role: keyof KnownIds,
  ids: readonly string[],
  known: KnownIds,
): readonly string[] {
  const kind = role.slice(0, -1);
  const missing = ids
    .filter((id) => !known[role].has(id))
    .map((id) => `references ${kind} "${id}" which is not configured${suggest(id, known[role].keys())}`);
  const repeated = ids
    .filter((id, i) => ids.indexOf(id) !== i)
    .map((id) => `references ${kind} "${id}" more than once`);
  return [...missing, ...repeated];
}
