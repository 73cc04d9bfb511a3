import type { Context } from '../../src/component/component.js';
import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import { createMappingProcessor } from '../../src/component/mapping-processor.js';
import type { Reduction } from '../../src/model/mapped-series.js';
import { deriveSeries, kindNames, type AnySeries, type Metric, type Series } from '../../src/model/series.js';
import { Expansion, type Output } from './expansion.js';
import { HistogramExpansion } from './histograms.js';
import type { Shape, ShapesOf } from './shape.js';

/** The current shape of a series. */
export function shapeOf({ metric, resource, attributes }: Series): Shape {
  return { metric, resource, attributes, factor: 1, reduction: undefined };
}

/** Applies the shapes to series: first copies and values, then those that have become the same are combined. */
export function createStage(shapesOf: ShapesOf, context: Context, next: Consumer): Consumer {
  const shapes = new WeakMap<AnySeries, Shape>();
  const reductions = new WeakMap<AnySeries, Reduction>();
  const metrics = new Metrics(context);
  const expansion = new Expansion((series) => {
    const outputs = createOutputs(series, metrics.admit(series, shapesOf(series)));
    for (const { series: one, shape } of outputs) shapes.set(one, shape);
    return outputs;
  });
  const map = <S extends AnySeries>(series: S): S => {
    const shape = shapes.get(series);
    if (shape === undefined || isShapeOf(shape, series)) return series;
    const { metric, resource, attributes, reduction } = shape;
    const mapped = { ...series, metric, resource, attributes };
    if (reduction !== undefined) reductions.set(mapped, reduction);
    return mapped;
  };
  const mapping = createMappingProcessor(map, context, next, (mapped) => reductions.get(mapped));
  const histograms = new HistogramExpansion(shapesOf, context.log);
  return {
    consume: (table) => mapping.consume(expansion.apply(table)),
    consumeHistograms(table) {
      const changed = histograms.apply(table);
      const isEmpty = changed.series.length === 0 && (changed.ended ?? []).length === 0;
      return isEmpty || passHistograms(mapping, changed);
    },
  };
}

function isShapeOf(shape: Shape, { metric, resource, attributes }: AnySeries): boolean {
  return shape.metric === metric && shape.resource === resource && shape.attributes === attributes;
}

function createOutputs(
  series: Series,
  shapes: readonly Shape[],
): readonly (Output & { readonly shape: Shape })[] {
  let isUsed = false;
  return shapes.map((shape) => {
    const { factor, metric, isGrowth = false } = shape;
    const isWhole =
      metric.valueType === 'int' && !(series.metric.valueType === 'int' && Number.isInteger(factor));
    const isSame = !isUsed && factor === 1 && !isWhole && !isGrowth;
    isUsed ||= isSame;
    const last = isGrowth && { last: new Float64Array(1).fill(NaN) };
    return { series: isSame ? series : deriveSeries(series), factor, isWhole, ...last, shape };
  });
}

function withMetric(shape: Shape, metric: Metric): Shape {
  return { ...shape, metric };
}

/**
 * One object per metric, as with receivers. Metrics of the same name have the unit, kind and description of the
 * first.
 */
class Metrics {
  readonly #context: Context;
  readonly #byName = new Map<string, Metric>();
  readonly #refused = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * The shapes with metrics of this registry. A series that would be added to a metric of another unit or kind
   * is left unchanged.
   */
  admit(series: Series, shapes: readonly Shape[]): readonly Shape[] {
    const isFitting = shapes.every(({ metric }) => metric === series.metric || this.#fits(metric));
    const admitted = isFitting ? shapes : [shapeOf(series)];
    return admitted.map((shape) => withMetric(shape, this.#take(shape.metric, series)));
  }

  #fits(metric: Metric): boolean {
    const known = this.#byName.get(metric.name);
    if (known === undefined || (known.unit === metric.unit && known.kind === metric.kind)) return true;
    if (!this.#refused.has(metric.name)) {
      this.#refused.add(metric.name);
      this.#context.log.warn(
        `Cannot add series to the metric "${metric.name}": expected ${kindNames[known.kind]} in "${known.unit}", found ${kindNames[metric.kind]} in "${metric.unit}"; they are forwarded unchanged`,
      );
    }
    return false;
  }

  #take(metric: Metric, series: Series): Metric {
    const known = this.#byName.get(metric.name);
    if (known === undefined) this.#byName.set(metric.name, metric);
    // An unchanged metric stays the same object.
    return metric !== series.metric && known?.valueType === metric.valueType ? known : metric;
  }
}
