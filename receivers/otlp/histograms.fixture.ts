import type { TestContext } from 'node:test';
import { checkHistograms } from '../../src/model/check-histograms.js';
import { HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import { createIntake } from './intake.fixture.js';
import type { Described, Point } from './request.fixture.js';

/** Formats rows as `name{attributes} start time count sum min..max buckets`, and `end name`. */
function listHistograms(tables: readonly HistogramTable[]): string[] {
  return tables.flatMap((table) => [
    ...(table.ended ?? []).map(({ metric, start }) => `end ${metric.name} ${start}`),
    ...table.series.map(({ metric, start }, number) => {
      const { count, sum, min, max, buckets } = new HistogramRow().read(table, number);
      const at = table.epoch + BigInt(table.offsets[number]);
      return `${metric.name} ${start} ${at} ${count} ${sum} ${min}..${max} ${buckets.join()}`;
    }),
  ]);
}

/** An intake whose histograms are validated and listed as they arrive. */
export function openHistograms(
  t: TestContext,
  ...rest: Parameters<typeof createIntake> extends [unknown, ...infer Rest] ? Rest : never
) {
  const parts = createIntake(t, ...rest);
  const all: HistogramTable[] = [];
  return {
    ...parts,
    histograms() {
      const tables = parts.collector.histograms.splice(0);
      all.push(...tables);
      checkHistograms(all);
      return listHistograms(tables);
    },
  };
}

/** A point with buckets up to 1, up to 10 and above 10. */
export function explicit(time: number, buckets: readonly number[], changes: Partial<Point> = {}): Point {
  const { histogram, ...others } = changes;
  const count = buckets.reduce((sum, one) => sum + one, 0);
  const fields = { count, sum: count * 2, explicitBounds: [1, 10], bucketCounts: buckets, ...histogram };
  return { start: 5n, time: BigInt(time), histogram: fields, ...others };
}

export const histogram = (...points: readonly Point[]): Described => ({
  name: 'h',
  kind: 'histogram',
  points,
});
export const delta = (...points: readonly Point[]): Described => ({
  ...histogram(...points),
  temporality: 1,
});
export const exponential = (...points: readonly Point[]): Described => ({
  name: 'e',
  kind: 'exponentialHistogram',
  points,
});
