import type { ExplicitLayout, ExponentialLayout, HistogramLayout, HistogramRow } from './histogram-table.js';
import { createPlans, findOrAdd } from './plan.js';

/**
 * Multiplies the values of a histogram by a factor, for another unit: bounds, sum and extremes. Explicit bounds
 * are exact. The buckets of an exponential histogram keep their factor and are moved by the nearest number of
 * buckets: their bounds differ from the exact ones by at most half a bucket, and not at all where the factor is
 * one of their bounds.
 * @param factor above 0
 */
export function scaleHistogram(row: HistogramRow, factor: number): void {
  row.sum *= factor;
  row.min *= factor;
  row.max *= factor;
  row.layout = scaleLayout(row.layout, factor);
}

/** One object per layout and factor, so that layouts keep their identity. */
const scaled = createPlans((_layout: HistogramLayout) => new Map<number, HistogramLayout>());

function scaleLayout(layout: HistogramLayout, factor: number): HistogramLayout {
  return findOrAdd(scaled(layout), factor, () =>
    layout.kind === 'histogram' ? scaleExplicit(layout, factor) : moveExponential(layout, factor),
  );
}

function scaleExplicit({ kind, bounds }: ExplicitLayout, factor: number): ExplicitLayout {
  return { kind, bounds: bounds.map((bound) => bound * factor) };
}

function moveExponential(layout: ExponentialLayout, factor: number): ExponentialLayout {
  const places = Math.round(Math.log2(factor) * 2 ** layout.scale);
  const { positiveOffset, positiveCount, negativeOffset, negativeCount } = layout;
  return {
    ...layout,
    zeroThreshold: layout.zeroThreshold * factor,
    positiveOffset: positiveCount === 0 ? positiveOffset : positiveOffset + places,
    negativeOffset: negativeCount === 0 ? negativeOffset : negativeOffset + places,
  };
}
