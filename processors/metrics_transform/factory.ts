import type { Context, ProcessorFactory } from '../../src/component/component.js';
import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import type { Series } from '../../src/model/series.js';
import { checkTransforms, listAggregations } from './check.js';
import { schema, type TransformConfig } from './config.js';
import { addCpuInfo, cpuInfo } from './cpu-info.js';
import { createMatcher, type Matcher } from './match.js';
import { createNameKeepingShapes, createPresetShapes, presets, type PresetName } from './preset.js';
import { ImpossibleTransform, reshape, type Shape } from './shape.js';
import { createStage, shapeOf } from './stage.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  replacedSettings: {
    'transforms[].metric_name': 'use "include"',
    'transforms[].metric_names': 'use "include" with "match_type: regexp"',
    ...Object.fromEntries(
      ['transforms[]', 'transforms[].operations[]'].flatMap((path) => [
        [`${path}.aggregation_type=median`, 'use "aggregation" with the function p50 and "group_by"'],
        [`${path}.aggregation_type=count`, 'use the query language of the backend'],
      ]),
    ),
  },
  check: checkTransforms,
  namedMetrics: ({ preset, transforms }) => [
    ...(preset === null ? [] : presets[preset].map(({ name }) => name)),
    ...(preset === 'kepler' ? [cpuInfo.name] : []),
    ...transforms.flatMap(({ new_name: name }) => (name === '' ? [] : [name])),
  ],
  create({ preset, transforms }, context, next) {
    const chain = createChain(divideIntoStages(transforms), context, next);
    const translated = preset === null ? chain : createPreset(preset, context, chain);
    const first = preset === 'kepler' ? addCpuInfo(context.log, translated) : translated;
    return {
      start() {},
      consume: (table) => first.consume(table),
      // Presets define no names for histograms.
      consumeHistograms: (table) => passHistograms(chain, table),
      shutdown() {},
    };
  },
};

function createPreset(preset: PresetName, context: Context, next: Consumer): Consumer {
  const kept = createNameKeepingShapes(preset);
  const after = kept === undefined ? next : createStage(kept, context, next);
  return createStage(createPresetShapes(preset), context, after);
}

/** Transforms that can be applied in one stage, since their aggregations are sums: a sum of sums is a sum. */
export function divideIntoStages(
  transforms: readonly TransformConfig[],
): readonly (readonly TransformConfig[])[] {
  const stages: TransformConfig[][] = [];
  let [hasAggregated, isClosed] = [false, true];
  for (const transform of transforms) {
    const types = listAggregations(transform);
    const isOwn = types.some((type) => type !== 'sum');
    if (isClosed || (isOwn && hasAggregated)) {
      stages.push([]);
      hasAggregated = false;
    }
    stages.at(-1)?.push(transform);
    hasAggregated ||= types.length > 0;
    isClosed = isOwn;
  }
  return stages;
}

function createChain(
  stages: readonly (readonly TransformConfig[])[],
  context: Context,
  next: Consumer,
): Consumer {
  return stages.reduceRight<Consumer>(
    (after, transforms) => createStage(createShapes(transforms, context), context, after),
    next,
  );
}

interface Step {
  readonly config: TransformConfig;
  readonly match: Matcher;
}

function createShapes(transforms: readonly TransformConfig[], { log }: Context) {
  const steps = transforms.map((config): Step => ({ config, match: createMatcher(config) }));
  const warned = new Set<string>();
  const onImpossible = ({ message }: Error) => {
    if (!warned.has(message)) log.warn(message);
    warned.add(message);
  };
  return (series: Series) =>
    steps.reduce<readonly Shape[]>(
      (shapes, step) => applyStep(shapes, step, onImpossible),
      [shapeOf(series)],
    );
}

/** Inserted series come after the existing ones. */
function applyStep(
  shapes: readonly Shape[],
  { config, match }: Step,
  onImpossible: (error: Error) => void,
): readonly Shape[] {
  const changed = shapes.flatMap((shape): readonly Shape[] => {
    const found = match(shape.metric.name, shape.attributes);
    const kept = config.action === 'insert' ? [] : [shape];
    if (found === undefined) return kept;
    try {
      return [reshape(shape, config, found) ?? []].flat();
    } catch (error) {
      if (!(error instanceof ImpossibleTransform)) throw error;
      onImpossible(error);
      return kept;
    }
  });
  return config.action === 'insert' ? [...shapes, ...changed] : changed;
}
