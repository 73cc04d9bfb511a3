import type { ComponentConfigs } from './components.js';
import { findEntry, type ConfigNode } from './node.js';
import type { PipelineConfig } from './pipelines.js';
import type { Origin, Problem } from './problem.js';

/** The components that pipelines name. */
export interface PipelineComponents {
  readonly receivers: ComponentConfigs<'receiver'>;
  readonly processors: ComponentConfigs<'processor'>;
}

/**
 * Processors that would do nothing, because no component before them publishes what they work on.
 * @param service the node of `service`, for the places
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

/** The names of the metrics that reach a processor; undefined where a receiver may publish any, as `replay` does. */
function listPublished(
  { receivers, processors }: PipelineConfig,
  before: number,
  components: PipelineComponents,
): ReadonlySet<string> | undefined {
  const factories = receivers.map((id) => components.receivers.get(id)?.factory);
  if (factories.some((factory) => factory === undefined || factory.metrics.length === 0)) return undefined;
  const earlier = processors.slice(0, before).map((id) => components.processors.get(id)?.factory);
  const metrics = [...factories, ...earlier].flatMap((factory) => factory?.metrics ?? []);
  return new Set(metrics.map(({ name }) => name));
}

function findPlace(service: ConfigNode | undefined, pipeline: string, at: number): Origin | undefined {
  const entry = findEntry(findEntry(findEntry(service, 'pipelines')?.node, pipeline)?.node, 'processors');
  return (entry?.node.kind === 'list' ? entry.node.items[at]?.origin : undefined) ?? entry?.origin;
}
